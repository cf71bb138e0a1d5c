"""Messages to the server's own types and back; only these modules and the servicers know both."""
