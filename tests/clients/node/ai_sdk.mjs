// Vercel's AI SDK: text, streams, tools over several steps and objects, over responses (its default) and over chats.
import assert from "node:assert";
import { readFileSync } from "node:fs";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { embed, generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY });
const prompt = "What is the weather in Paris?";
const tools = {
  get_weather: tool({
    description: "Weather of a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `sunny in ${city}`,
  }),
};
// One model asked for by name: its answer is read while it is written.
const straight = [openai("sim/medium-4"), openai.chat("sim/medium-4")];
for (const model of [openai("auto"), openai.chat("auto"), ...straight]) {
  assert((await generateText({ model, prompt: "Say hello." })).text);
  const pieces = [];
  for await (const piece of streamText({ model, prompt: "Say hello." }).textStream) pieces.push(piece);
  assert(pieces.length > (straight.includes(model) ? 3 : 0));
  const walked = await generateText({ model, prompt, tools, stopWhen: stepCountIs(3) });
  assert(walked.text.includes("sunny in Paris"), walked.text);
  const followed = streamText({ model, prompt, tools, stopWhen: stepCountIs(3) });
  assert((await followed.text).includes("sunny in Paris"));
  const again = [{ role: "user", content: prompt }, ...walked.response.messages, { role: "user", content: "Thanks." }];
  assert((await generateText({ model, messages: again, tools })).text);
  assert.equal(typeof (await generateObject({ model, schema: z.object({ city: z.string() }), prompt })).object.city, "string");
}
const anthropic = createAnthropic({ baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY });
for (const model of [anthropic("auto"), anthropic("sim/medium-4")]) { // over messages
  const followed = streamText({ model, prompt, tools, stopWhen: stepCountIs(3) });
  assert((await followed.text).includes("sunny in Paris"));
  assert((await generateText({ model, prompt, tools, stopWhen: stepCountIs(3) })).text.includes("sunny in Paris"));
}
// Several tools called at once, however their vendor cuts the stream.
const at = { baseURL: process.env.PARALLEL_BASE_URL, apiKey: process.env.OPENAI_API_KEY };
const get_time = tool({ description: "Time in a zone.", inputSchema: z.object({ zone: z.string() }), execute: async ({ zone }) => `noon in ${zone}` });
for (const name of process.env.PARALLEL_MODELS.split(",")) {
  for (const model of [createOpenAI(at)(name), createOpenAI(at).chat(name), createAnthropic(at)(name)]) {
    const followed = streamText({ model, prompt, tools: { ...tools, get_time }, stopWhen: stepCountIs(3) });
    const [first] = await followed.steps;
    assert.deepEqual(first.toolCalls.map((call) => [call.toolName, call.input]), JSON.parse(process.env.PARALLEL_CALLS), name);
    assert.equal(await followed.text, "All done.");
  }
}
assert.equal((await embed({ model: openai.embedding("x25-embed"), value: "a" })).embedding.length, 256);
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;
console.log(JSON.stringify({ ai: version("ai"), "@ai-sdk/openai": version("@ai-sdk/openai"), "@ai-sdk/anthropic": version("@ai-sdk/anthropic") }));
