"""Language tags and names, identification of what language an answer is in, lengths, and direction of writing. Pure."""
