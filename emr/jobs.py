"""The record's recurring jobs. Each may run twice or be cut off at any point: the next run goes on."""
