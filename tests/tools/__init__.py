"""What runs the tests and checks: `make test` (`run`), `make check` (`check`), and the services that tests start."""
