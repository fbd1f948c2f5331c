// The official Anthropic client for Node: messages, stream helper, tools.
import assert from "node:assert";
import { readFileSync } from "node:fs";
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ baseURL: process.env.OPENAI_BASE_URL.replace(/\/v1$/, ""), apiKey: process.env.OPENAI_API_KEY });
const messages = [{ role: "user", content: "What is the weather in Paris?" }];
const input_schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ name: "get_weather", description: "Weather of a city.", input_schema }];
const base = { model: "auto", max_tokens: 500, messages };
assert((await client.messages.create(base)).content[0].text);
for (const model of ["auto", "sim/medium-4"]) { // the second is read while it is written
  assert((await client.messages.stream({ ...base, model }).finalText()).length);
  const said = await client.messages.stream({ ...base, model, tools }).finalMessage();
  assert.deepEqual([said.stop_reason, said.content[0].input], ["tool_use", { city: "Paris" }]);
  assert(said.usage.input_tokens > 0 && said.usage.output_tokens > 0);
}
const parallel = new Anthropic({ baseURL: process.env.PARALLEL_BASE_URL.replace(/\/v1$/, ""), apiKey: "none" });
const both = ["get_weather", "get_time"].map((name) => ({ name, input_schema: { type: "object" } }));
for (const model of process.env.PARALLEL_MODELS.split(",")) { // several tools called at once, however they are cut
  const { content } = await parallel.messages.stream({ ...base, model, tools: both }).finalMessage();
  const calls = content.filter((block) => block.type === "tool_use").map((block) => [block.name, block.input]);
  assert.deepEqual(calls, JSON.parse(process.env.PARALLEL_CALLS), model);
}
const { version } = JSON.parse(readFileSync("node_modules/@anthropic-ai/sdk/package.json"));
console.log(JSON.stringify({ "@anthropic-ai/sdk": version }));
