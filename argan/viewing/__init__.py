"""What a person looks at: pictures, charts and self-contained pages. Takes arrays and plain numbers, opens no file."""
