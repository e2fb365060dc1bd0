// SPDX-License-Identifier: MIT
#include "synthd/engine/failover_engine.h"

#include "tests/unit/synthd/engine_fixture.h"

#include <doctest/doctest.h>

#include <memory>
#include <utility>

namespace auralis::failover_engine_test {

using namespace test;

namespace {

// Native engine that fails on demand.
class FailingEngine final : public Engine {
 public:
  explicit FailingEngine(const EngineShape& shape) : engine_(std::make_unique<NativeEngine>(shape, 1)) {}

  RenderReport render(const StationChunk* batch, std::size_t count) override {
    if (fails) throw EngineError("the cable fell out");
    return engine_->render(batch, count);
  }
  const std::int16_t* samples(std::size_t index) const override { return engine_->samples(index); }
  const float* mix(std::size_t index) const override { return engine_->mix(index); }
  std::int64_t next_frame(std::size_t station) const override { return engine_->next_frame(station); }
  void forget(std::size_t station) override { engine_->forget(station); }
  EngineInfo info() const override { return engine_->info(); }
  std::size_t device_bytes() const override { return engine_->device_bytes(); }

  bool fails = false;

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace

TEST_CASE("an engine that fails while rendering is replaced once, and the music continues unchanged") {
  const EngineShape shape = float_shape();
  auto first = std::make_unique<FailingEngine>(shape);
  auto second = std::make_unique<FailingEngine>(shape);
  FailingEngine& failing = *first;  // dangling once it is replaced
  FailingEngine& failing_later = *second;
  FailoverEngine engine(std::move(first), std::move(second));
  const std::vector<Voice> voices = quartet(0);
  NativeEngine through(shape, 1);
  const Stereo expected = play(through, voices, 40);

  Stereo audio = play(engine, voices, 20);
  CHECK(engine.next_frame(0) == 20 * kChunk);
  failing.fails = true;
  const StationChunk next = chunk_of(voices, 20 * kChunk);
  CHECK_THROWS_AS(engine.render(&next, 1), EngineReplaced);
  CHECK(engine.next_frame(0) == -1);
  play(engine, voices, 20);  // fills its reverb
  CHECK(engine.next_frame(0) == 20 * kChunk);
  for (std::int64_t chunk = 20; chunk < 40; ++chunk) play_on(engine, chunk_of(voices, chunk * kChunk), audio);
  CHECK(audio.left == expected.left);
  CHECK(audio.right == expected.right);

  failing_later.fails = true;
  bool replaced = false;
  std::string what;
  try {
    engine.render(&next, 1);
  } catch (const EngineReplaced&) {
    replaced = true;
  } catch (const EngineError& error) {
    what = error.what();
  }
  CHECK_FALSE(replaced);
  CHECK(what == "the cable fell out");
}

}  // namespace auralis::failover_engine_test
