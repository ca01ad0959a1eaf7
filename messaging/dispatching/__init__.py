"""The dispatcher: claims messages, hands them to the gateways, books what comes back."""
