"""The agent: a brain that holds no data, and tools that do the work; `pivo.agent.build` puts it together."""
