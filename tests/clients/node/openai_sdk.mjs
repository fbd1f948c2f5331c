// The official OpenAI client for Node: chat, stream helper, parsing, runTools, responses, embeddings, models.
import assert from "node:assert";
import { readFileSync } from "node:fs";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

const client = new OpenAI();
const City = z.object({ city: z.string() });
const messages = [{ role: "user", content: "What is the weather in Paris?" }];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

assert((await client.chat.completions.create({ model: "auto", messages })).choices[0].message.content);
assert((await client.chat.completions.stream({ model: "auto", messages }).finalContent()).length);
const parsed = await client.chat.completions.parse({ model: "auto", messages, response_format: zodResponseFormat(City, "city") });
assert.equal(typeof parsed.choices[0].message.parsed.city, "string");
for (const stream of [false, true]) {
  const runner = client.chat.completions.runTools({
    model: "auto", messages, stream,
    tools: [{ type: "function", function: { name: "get_weather", description: "Weather of a city.", parameters, parse: JSON.parse, function: ({ city }) => `sunny in ${city}` } }],
  });
  assert((await runner.finalContent()).includes("sunny in Paris"));
}
assert.equal((await client.chat.completions.create({ model: "auto", messages, n: 2 })).choices.length, 2);
assert.equal((await client.chat.completions.stream({ model: "sim/medium-4", messages, n: 2 }).finalChatCompletion()).choices.length, 2);
const said = await client.responses.create({ model: "auto", input: "Say hello." });
assert(said.output_text);
assert((await client.responses.create({ model: "auto", input: "Again.", previous_response_id: said.id })).output_text);
const kinds = [];
for await (const event of await client.responses.create({ model: "auto", input: "Say hello.", stream: true })) kinds.push(event.type);
assert.deepEqual([kinds[0], kinds.at(-1)], ["response.created", "response.completed"]);
assert((await client.responses.stream({ model: "auto", input: "Say hello." }).finalResponse()).output.length);
assert.equal((await client.embeddings.create({ model: "x25-embed", input: "a" })).data[0].embedding.length, 256);
assert((await client.models.list()).data.some((model) => model.id === "auto"));
// Several tools called at once, however their vendor cuts the stream.
const parallel = new OpenAI({ baseURL: process.env.PARALLEL_BASE_URL });
const flat = ["get_weather", "get_time"].map((name) => ({ type: "function", name, parameters: { type: "object", properties: {} }, strict: false }));
const tools = flat.map(({ name, parameters }) => ({ type: "function", function: { name, parameters } }));
for (const model of process.env.PARALLEL_MODELS.split(",")) {
  const { choices } = await parallel.chat.completions.stream({ model, messages, tools }).finalChatCompletion();
  const { output } = await parallel.responses.stream({ model, input: "Go on.", tools: flat }).finalResponse();
  const chosen = choices[0].message.tool_calls.map((call) => call.function);
  for (const calls of [chosen, output.filter((item) => item.type === "function_call")]) {
    assert.deepEqual(calls.map((call) => [call.name, JSON.parse(call.arguments)]), JSON.parse(process.env.PARALLEL_CALLS), model);
  }
}
await assert.rejects(client.responses.create({ model: "auto", input: "x", tools: [{ type: "web_search" }] }), /web_search/);
const { version } = JSON.parse(readFileSync("node_modules/openai/package.json"));
console.log(JSON.stringify({ "openai (Node)": version }));
