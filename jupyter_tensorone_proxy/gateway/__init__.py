"""The embedded cluster proxy: a REST control plane, and Envoy for the traffic."""
