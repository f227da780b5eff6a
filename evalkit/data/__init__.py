"""Data: prompts and recorded answers, from files, https and the Hub to records, checked before anything is asked."""
