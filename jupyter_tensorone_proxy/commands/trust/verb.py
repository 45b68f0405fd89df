"""What `trust` does: look at each store, and change those that are not as wished."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import UsageError
from .authority import Authority, ca_file, read_authority
from .nss import browser_stores
from .results import StoreRow, TrustResult, Wish, vouches_for
from .stores import State, Store, StoreError
from .system import system_stores


@dataclass(frozen=True)
class Plan:
    """What there is, and what is wished.

    Args:
        authority: The CA.
        stores: The stores of this machine.
        wish: What to do with them.
    """

    authority: Authority
    stores: tuple[Store, ...]
    wish: Wish

    @property
    def question(self) -> str:
        """What to ask before something is changed; empty if nothing will be."""
        changes = [store for store in self.stores if self._must_change(store)]
        if not changes:
            return ""
        names = ", ".join(
            f"{store.name}{' (for every user of this machine)' if store.needs_root else ''}"
            for store in changes
        )
        if self.wish == "remove":
            return f"End the trust in {self.authority.subject} in: {names}?"
        return (
            f"Trust {self.authority.subject}, which can vouch for "
            f"{vouches_for(self.authority)}, in: {names}?"
        )

    def carry_out(self) -> TrustResult:
        """Change what is not as wished; what cannot be changed is told with the steps."""
        return TrustResult(self.authority, tuple(map(self._treat, self.stores)), self.wish)

    def _treat(self, store: Store) -> StoreRow:
        problem = store.missing()
        if problem:
            problem = f"needs {problem}"
        elif self._must_change(store):
            try:
                store.run(self._commands(store))
            except StoreError as error:
                problem = error.message
        state = store.state(self.authority)
        steps = () if self._is_wished(state) else tuple(self._commands(store))
        wrong = problem if steps or state == "unknown" else ""
        return StoreRow(store.name, store.location, state, wrong, steps)

    def _must_change(self, store: Store) -> bool:
        if self.wish == "show" or store.missing():
            return False
        return not self._is_wished(store.state(self.authority))

    def _is_wished(self, state: State) -> bool:
        return state == ("not trusted" if self.wish == "remove" else "trusted")

    def _commands(self, store: Store) -> Sequence[tuple[str, ...]]:
        if self.wish == "remove":
            return store.removing(self.authority)
        return store.installing(self.authority)


def look(
    args: argparse.Namespace,
    *,
    interactive: bool,
    home: Path | None = None,
    root: Path = Path("/"),
) -> Plan:
    """Look at the CA and at the stores of this machine.

    Args:
        args: Arguments of the verb.
        interactive: Whether somebody can be asked, for root's password for example.
        home: Whose browsers; the home directory of this user by default.
        root: The root directory of the system's store.

    Raises:
        ConfigurationError: There is no CA, or its file is wrong.
    """
    home = home or Path.home()
    authority = read_authority(Path(args.ca_file).absolute() if args.ca_file else ca_file())
    stores: list[Store] = []
    if args.only != "browsers":
        stores += system_stores(home, root, interactive=interactive)
    if args.only != "system":
        stores += browser_stores(home)
    wish: Wish = "remove" if args.remove else "show" if args.show else "install"
    return Plan(authority, tuple(stores), wish)


def nobody_to_ask() -> UsageError:
    """Return the refusal to change what is trusted without being asked for it."""
    return UsageError(
        "jupyter tensorone trust: there is nobody to ask.",
        suggestion="Say --yes to change what is trusted, or --show to see what would be.",
    )
