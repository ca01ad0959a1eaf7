"""Operations of the record."""
