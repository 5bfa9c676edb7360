"""What the gateway knows beside its rows: methods, the shape of requests, and how a node is asked."""
