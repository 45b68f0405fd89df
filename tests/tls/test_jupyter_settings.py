"""Certificates as settings of the Jupyter server, which starts the gateway."""

from __future__ import annotations

from pathlib import Path

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.settings import Settings
from tests.fixtures.certificates import CompanyAuthority, shown, verify
from tests.fixtures.jupyter import JupyterServer, run_jupyter
from tests.fixtures.services.web import web_service

DOMAIN = "app.lab.example"


def client_of(server: JupyterServer) -> ProxyClient:
    """Return a client of the server's gateway."""
    runtime = server.gateway()
    key = Path(runtime["api_key_file"]).read_text().strip()
    return ProxyClient(api_url=runtime["api_url"], api_key=key, cluster_id="local")


def test_the_servers_settings_reach_the_gateway(tmp_path: Path, company: CompanyAuthority) -> None:
    """`tls_cert`, `tls_key` and `domain_certs` are what visitors see, by absolute path or not."""
    (tmp_path / "jupyter").mkdir()
    (tmp_path / "domain").mkdir()
    host = company.issue("localhost").write()
    domain = company.issue(DOMAIN, directory=tmp_path / "domain").write()
    options = (
        "--TensorOneProxy.tls_cert=../company/fullchain.pem",
        f"--TensorOneProxy.tls_key={host.key_file}",
        f"--TensorOneProxy.domain_certs={domain.domain_option(DOMAIN)[1]}",
    )
    with run_jupyter(tmp_path / "jupyter", *options) as server, web_service() as service:
        assert server.request("GET", "api/proxy").is_success, server.log.read_text()
        with client_of(server) as client:
            mapping = client.create_port(internal_port=service.port, description="web")
            port = mapping.external_port or 0
            assert shown(port).serial_number == host.certificate.serial_number
            client.update_port(mapping.id, custom_domain=DOMAIN)
            assert shown(port, DOMAIN).serial_number == domain.certificate.serial_number
            context = Settings(
                "http://127.0.0.1:1", client.settings.api_key, "local", ca_file=company.root_file
            ).tls_context()
            assert verify(port, DOMAIN, context)


def test_half_a_setting_is_told_where_people_look(
    tmp_path: Path, company: CompanyAuthority
) -> None:
    """A certificate without its key stops the gateway; the server's answer and log say why."""
    (tmp_path / "jupyter").mkdir()
    pair = company.issue("localhost").write()
    option = f"--TensorOneProxy.tls_cert={pair.chain_file}"
    with run_jupyter(tmp_path / "jupyter", option) as server:
        answer = server.request("GET", "api/proxy")
        assert not answer.is_success
        assert "--tls-cert and --tls-key need each other" in answer.text
        assert "--tls-cert and --tls-key need each other" in server.log.read_text()
