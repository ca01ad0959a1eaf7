"""The quiet visit: rules asked at the signature, and the list of what they found."""
