"""Questions in plain words, and answers with receipts. A reader understands a question, tools look it up."""
