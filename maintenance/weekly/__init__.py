"""The weekly report: a week's figures from data, what people write about them, the chart."""
