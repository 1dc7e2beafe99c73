"""What applications do with a model, by their own clients: openai, langchain-openai, anthropic, ollama and huggingface_hub's InferenceClient, each in its default settings. --address and --model say where and which."""
import asyncio
from typing import Literal

from harness import argument, finish, run_functions

ADDRESS, MODEL = argument("--address"), argument("--model")
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
TOOL = {"type": "function", "function": {"name": "weather", "description": "The weather of a city", "parameters": {
    "type": "object", "properties": {"days": {"type": "integer", "minimum": 1, "maximum": 7}}, "required": ["days"],
    "additionalProperties": False}}}


def openai_client():
    from openai import OpenAI
    return OpenAI(base_url=f"{ADDRESS}/v1", api_key="any")


def expected():
    answer = openai_client().chat.completions.create(model=MODEL, messages=QUESTION, temperature=0, max_tokens=16)
    return answer.choices[0].message.content


def test_openai_chat_and_stream():
    text = expected()
    stream = openai_client().chat.completions.create(model=MODEL, messages=QUESTION, temperature=0, max_tokens=16, stream=True,
                                                     stream_options={"include_usage": True}, logprobs=True, top_logprobs=2)
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text
    assert chunks[-1].usage.completion_tokens == 16 or chunks[-1].usage.completion_tokens > 0
    tokens = [token for chunk in chunks if chunk.choices and chunk.choices[0].logprobs
              for token in chunk.choices[0].logprobs.content]
    assert all(token.logprob == max(top.logprob for top in token.top_logprobs) for token in tokens), tokens
    assert MODEL in [model.id for model in openai_client().models.list()]


def test_openai_parses_a_schema_into_an_object():
    from pydantic import BaseModel, ConfigDict

    class City(BaseModel):
        model_config = ConfigDict(extra="forbid")
        size: Literal["small", "large"]
        capital: bool

    answer = openai_client().chat.completions.parse(model=MODEL, messages=QUESTION, response_format=City, max_tokens=60)
    assert isinstance(answer.choices[0].message.parsed, City), answer


def test_openai_calls_a_tool_in_a_stream():
    with openai_client().chat.completions.stream(model=MODEL, messages=QUESTION, tools=[TOOL], tool_choice="required",
                                                 parallel_tool_calls=False, temperature=0, max_tokens=60) as stream:
        for _ in stream:
            pass
        message = stream.get_final_completion().choices[0].message
    assert message.tool_calls[0].function.name == "weather", message
    again = openai_client().chat.completions.create(
        model=MODEL, max_tokens=8, tools=[TOOL],
        messages=[*QUESTION, message.model_dump(exclude_none=True, exclude={"parsed"}),
                  {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "sunny"}])
    assert again.choices[0].finish_reason in ("stop", "length", "tool_calls")


def test_openai_responses():
    client = openai_client()
    asked = {"model": MODEL, "input": QUESTION[0]["content"], "temperature": 0, "max_output_tokens": 16}
    assert client.responses.create(**asked).output_text == expected()
    events = list(client.responses.create(**asked, stream=True))
    assert events[0].type == "response.created" and events[-1].type in ("response.completed", "response.incomplete"), events
    assert events[-1].response.output_text == expected()
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == expected()


def test_openai_raises_its_own_errors():
    import openai
    for call, error in ((lambda c: c.chat.completions.create(model="no/such", messages=QUESTION), openai.NotFoundError),
                        (lambda c: c.chat.completions.create(model=MODEL, messages=[]), openai.BadRequestError)):
        try:
            call(openai_client())
        except error as found:
            assert found.body["message"], found
        else:
            raise AssertionError(error)


def test_eight_streams_at_once():
    from openai import AsyncOpenAI

    async def all_of_them():
        async with AsyncOpenAI(base_url=f"{ADDRESS}/v1", api_key="any") as client:
            answers = await asyncio.gather(*(client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0,
                                                                            max_tokens=16) for _ in range(8)))
        return {answer.choices[0].message.content for answer in answers}

    assert asyncio.run(all_of_them()) == {expected()}


def test_langchain_calls_a_tool():
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI

    @tool
    def weather(days: int) -> str:
        """The weather of a city in so many days."""
        return f"sunny for {days}"

    model = ChatOpenAI(base_url=f"{ADDRESS}/v1", api_key="any", model=MODEL, max_tokens=60, temperature=0)
    message = model.bind_tools([weather], tool_choice="weather", parallel_tool_calls=False).invoke("What is the weather?")
    assert message.tool_calls[0]["name"] == "weather" and isinstance(message.tool_calls[0]["args"]["days"], int), message
    assert weather.invoke(message.tool_calls[0]).content.startswith("sunny")


def test_anthropic_messages():
    from anthropic import Anthropic
    client = Anthropic(base_url=ADDRESS, api_key="any")
    message = client.messages.create(model=MODEL, messages=QUESTION, max_tokens=16, extra_body={"temperature": 0})
    assert message.content[0].text == expected(), message
    with client.messages.stream(model=MODEL, messages=QUESTION, max_tokens=16, extra_body={"temperature": 0}) as stream:
        assert "".join(stream.text_stream) == expected()
    called = client.messages.create(model=MODEL, messages=QUESTION, max_tokens=60, tool_choice={
        "type": "tool", "name": "weather", "disable_parallel_tool_use": True}, tools=[
            {"name": "weather", "description": "The weather", "input_schema": TOOL["function"]["parameters"]}])
    assert called.stop_reason == "tool_use" and called.content[-1].name == "weather", called


def test_ollama_chat():
    from ollama import Client
    client = Client(host=ADDRESS)
    options = {"temperature": 0, "num_predict": 16}
    assert client.chat(model=MODEL, messages=QUESTION, options=options).message.content == expected()
    pieces = client.chat(model=MODEL, messages=QUESTION, options=options, stream=True)
    assert "".join(piece.message.content for piece in pieces) == expected()


def test_inference_client():
    from huggingface_hub import InferenceClient
    client = InferenceClient(base_url=ADDRESS, api_key="any")
    answer = client.chat_completion(QUESTION, max_tokens=16, temperature=0)
    assert answer.choices[0].message.content == expected()
    text = client.text_generation("Once upon a time", max_new_tokens=8, do_sample=False)
    assert isinstance(text, str) and text


if __name__ == "__main__":
    results = run_functions(globals(), "inference_clients_test")
    finish(results)
