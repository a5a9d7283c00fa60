"""What tests share: a PostgreSQL cluster for the run, databases, servers, people."""
