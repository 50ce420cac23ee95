"""What forms and questions share: values nobody need be asked for, and choices an authority lists."""
