"""Pure translation of desired state into Envoy resources, and the server that delivers them."""
