"""When the system stands still: plans that are rehearsed, and paper to write on."""
