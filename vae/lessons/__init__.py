"""Words and pictures of the lessons: questions, glossary, the loss as text."""
