"""What a learner takes away: tables, pictures, a script that stands alone, weights."""
