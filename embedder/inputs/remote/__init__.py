"""Pictures and catalogs that are not on this machine: object stores, and web servers that an operator permits."""
