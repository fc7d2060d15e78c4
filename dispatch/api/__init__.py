"""What comes in by HTTP and over sockets; one module per audience."""
