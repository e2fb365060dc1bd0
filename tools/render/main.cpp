// SPDX-License-Identifier: MIT
// auralis-render: renders a station's music to a file, faster than real time.
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "common/base/inherited_state.h"
#include "common/config/config_loader.h"
#include "synthd/engine/make_engine.h"
#include "synthd/engine/native_engine.h"
#include "synthd/engine/opencl_engine.h"
#include "synthd/ring_shape.h"
#include "tools/music.h"
#include "tools/render/fade.h"
#include "tools/render/file.h"
#include "tools/render/midi.h"
#include "tools/render/options.h"
#include "tools/render/progress.h"
#include "tools/render/writer.h"

namespace auralis {
namespace {

struct Interrupted {};

// Blocks the signals that ask the process to end, so that incomplete files are removed first. Not by
// handlers, which OpenCL drivers replace. Constructed before any thread.
class StopSignals {
 public:
  StopSignals() {
    // Ignored: the write fails instead, with an error.
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGXFSZ, SIG_IGN);
    sigemptyset(&held_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      struct sigaction now {};
      // As under nohup: the caller wants the process to ignore it.
      if (::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) continue;
      sigaddset(&held_, signal);
    }
    pthread_sigmask(SIG_BLOCK, &held_, nullptr);
  }

  void throw_if_any() const {
    sigset_t pending;
    sigpending(&pending);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      if (sigismember(&held_, signal) == 1 && sigismember(&pending, signal) == 1) throw Interrupted();
    }
  }

  // Ends the process by the pending signal, so that its parent sees that.
  void let_go() const { pthread_sigmask(SIG_UNBLOCK, &held_, nullptr); }

 private:
  sigset_t held_{};
};

std::unique_ptr<Engine> make_render_engine(const RenderOptions& options, const EngineShape& shape) {
  if (options.config.synthd.engine == EngineChoice::kNative) {
    const unsigned threads = options.background ? 1 : std::max(1U, std::thread::hardware_concurrency());
    return std::make_unique<NativeEngine>(shape, threads);
  }
  ConfigLoader folders;  // PoCL's kernels share synthd's cache
  folders.resolve_runtime_dir(environ);
  prepare_opencl_environment(folders.config().daemon_dir(Daemon::kSynthd) / "pocl-cache");
  const std::size_t device = choose_device(opencl_devices(), options.config.synthd.device);
  return std::make_unique<OpenClEngine>(device, shape);
}

std::vector<Track> tracks_of(const RenderOptions& options) {
  Track heard = 0;
  for (std::size_t i = 0; i < options.history.count; ++i) {
    heard = static_cast<Track>(heard | options.history.changes.at(i).parameters.voices);
  }
  if (!options.stems) return {heard};
  std::vector<Track> tracks;
  for (std::size_t group = 0; group < kStemNames.size(); ++group) {
    tracks.push_back(static_cast<Track>(heard & (1U << group)));
  }
  return tracks;
}

// The summary line: 12:00 of music in 2.4 s, 300 times real time.
std::string summary(const RenderOptions& options, const Progress& progress) {
  std::string names;
  for (const auto& path : options.files()) names += (names.empty() ? "" : ", ") + shown(path.string());
  std::array<char, 96> numbers{};
  std::snprintf(numbers.data(), numbers.size(), " of music in %.1f s, %.0f times real time",
                progress.elapsed_seconds(), progress.speed(options.frames));
  const double seconds = static_cast<double>(options.frames) / options.format.sample_rate;
  return names + ": " + clock_text(seconds) + numbers.data();
}

using Writers = std::vector<std::unique_ptr<SoundWriter>>;

// `at`: the first frame, counted from the beginning of the file.
template <typename Sample>
void write_faded(SoundWriter& writer, const Sample* samples, std::int64_t frames, const Fade& fade,
                 std::int64_t at) {
  if (fade.gain(at) >= 1 && fade.gain(at + frames - 1) >= 1) return writer.write(samples, frames);
  std::vector<Sample> faded(samples, samples + 2 * frames);
  fade.apply(faded, at);
  writer.write(faded.data(), frames);
}

// Renders all frames into `writers`, one a track.
void render_frames(const RenderOptions& options, const StopSignals& signals, const Writers& writers,
                   Progress& progress) {
  const Timeline timeline = make_timeline(options.config, 0);
  EngineShape shape = engine_shape(timeline, writers.size());
  shape.float_mix = options.format.from_floats();
  const auto engine = make_render_engine(options, shape);
  Music music(*engine, timeline, options.seed, options.history, tracks_of(options), options.first_frame);
  const std::int64_t end = options.first_frame + options.frames;
  const Fade fade{options.frames, options.fade_frames};
  progress.begin();
  for (std::int64_t frame = options.first_frame; frame < end;) {
    signals.throw_if_any();
    music.render_chunk();
    if (music.chunk_end() <= frame) continue;  // warm-up
    const std::int64_t skipped = 2 * (frame - music.chunk_begin());
    const std::int64_t count = std::min(music.chunk_end(), end) - frame;
    for (std::size_t i = 0; i < writers.size(); ++i) {
      const std::int64_t at = frame - options.first_frame;
      if (shape.float_mix) {
        write_faded(*writers[i], engine->mix(i) + skipped, count, fade, at);
      } else {
        write_faded(*writers[i], engine->samples(i) + skipped, count, fade, at);
      }
    }
    frame += count;
    progress.show(frame - options.first_frame);
  }
}

void write_midi(const RenderOptions& options, NewFile& file) {
  const auto sample_rate = static_cast<std::uint32_t>(options.config.audio.sample_rate);
  const MidiFile midi = midi_file(
      {options.seed, options.history, make_timeline(options.config, 0), options.first_frame, options.frames});
  file.write(midi.bytes.data(), midi.bytes.size());
  file.sync();
  file.publish();
  std::cout << shown(file.path().string()) << ": " << midi.notes << " notes in "
            << clock_text(static_cast<double>(options.frames) / sample_rate) << std::endl;
}

void render(const RenderOptions& options, const StopSignals& signals) {
  const SystemClock clock;
  Progress progress(STDERR_FILENO, options.frames, options.format.sample_rate, clock);
  {
    Writers writers;
    for (const auto& path : options.files()) {
      writers.push_back(std::make_unique<SoundWriter>(path, options.format, options.force));
    }
    render_frames(options, signals, writers, progress);
    // All are complete before the first gets its name.
    for (const auto& writer : writers) writer->end();
    for (const auto& writer : writers) writer->finish();
    signals.throw_if_any();
    for (const auto& writer : writers) writer->publish();
  }
  progress.clear();
  (options.file == kStandardOutput ? std::cerr : std::cout) << summary(options, progress) << std::endl;
}

int render_main(int argc, char** argv) {
  const StopSignals signals;
  try {
    const auto options = parse_render_options(argc, argv, std::cout);
    if (!options) return 0;
    // Before any thread, which inherits it. A failure costs only the preference.
    const sched_param none{};
    if (options->background) ::sched_setscheduler(0, SCHED_IDLE, &none);
    std::optional<NewFile> midi;  // before the sound, so that a bad name is refused at once
    if (!options->midi_file.empty()) midi.emplace(options->midi_file, options->force);
    if (!options->file.empty()) render(*options, signals);
    if (midi) write_midi(*options, *midi);
    return 0;
  } catch (const UsageError& error) {
    std::cerr << "auralis-render: " << error.what() << '\n';
    return 2;
  } catch (const Interrupted&) {
    std::cerr << "auralis-render: interrupted; nothing was written" << std::endl;
    signals.let_go();
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "auralis-render: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace
}  // namespace auralis

int main(int argc, char** argv) {
  auralis::open_standard_descriptors();
  return auralis::render_main(argc, argv);
}
