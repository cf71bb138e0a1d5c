"""The wire: servicers, messages, statuses."""
