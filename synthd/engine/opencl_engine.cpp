// SPDX-License-Identifier: MIT
#include "synthd/engine/opencl_engine.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "common/base/thread_checker.h"
#include "embedded/kernels_cl.h"
#include "embedded/layout_h.h"
#include "embedded/leads_h.h"
#include "embedded/mix_h.h"
#include "embedded/oscillators_h.h"
#include "embedded/pad_saws_h.h"
#include "embedded/pad_sums_h.h"
#include "embedded/pads_h.h"
#include "embedded/reverb_h.h"
#include "embedded/shim_h.h"
#include "embedded/voices_h.h"
#include "synthd/engine/opencl_support.h"
#include "synthd/engine/voice_pack.h"

namespace auralis {
namespace {

constexpr std::size_t kTurns = 2;            // slices in flight at a time
constexpr std::size_t kSlices = 4;           // slices per batch, so that packing, copies and kernels overlap
constexpr std::size_t kLeastSlice = 8;       // minimum stations per slice, if there are as many
constexpr std::size_t kProcessorSlice = 32;  // on a CPU: as many as its caches hold between stages

// Pinned host memory, mapped for the object's lifetime: copies to and from the device need no staging by the
// driver.
template <typename T>
class Staging {
 public:
  Staging(const cl::Context& context, const cl::CommandQueue& queue, std::size_t count)
      : count_(count),
        queue_(queue),
        buffer_(context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes()),
        host_(static_cast<T*>(
            queue.enqueueMapBuffer(buffer_, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, bytes()))) {}
  ~Staging() {
    try {
      queue_.enqueueUnmapMemObject(buffer_, host_);
      queue_.finish();
    } catch (const cl::Error&) {  // a lost device has nothing to release
    }
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  T* at(std::size_t index) const { return host_ + index; }
  std::size_t bytes() const { return std::max<std::size_t>(count_, 1) * sizeof(T); }

 private:
  std::size_t count_;
  cl::CommandQueue queue_;
  cl::Buffer buffer_;
  T* host_;  // owned by the driver
};

}  // namespace

struct OpenClEngine::Impl {
  struct Stage {
    cl::Kernel kernel;
    cl_uint slice_argument;  // index of the first of the slice's two arguments
  };

  // Queue and buffers of one slice in flight. Slices alternate between them, so that the copies of one
  // overlap the kernels of another.
  struct Turn {
    cl::CommandQueue queue;
    cl::Buffer curves;
    cl::Buffer buses;
    Stage curves_stage;
    Stage blocks_stage;
    Stage reverb_stage;
    Stage finish_stage;
  };

  EngineInfo info;
  EngineShape shape;
  DspShape dsp;
  VoicePacker packer;
  StationPositions positions;

  cl::Device device;
  cl::Context context;
  std::size_t lanes;           // work items per group
  std::size_t slice_stations;  // chunks per launch
  cl::CommandQueue staging_queue;
  Staging<PackedVoice> packed_voices;
  Staging<PackedStation> packed_stations;
  Staging<std::int16_t> samples;
  Staging<float> mixes;
  cl::Buffer dsp_buffer;
  cl::Buffer voices;
  cl::Buffer stations;
  cl::Buffer reverbs;
  cl::Buffer output;
  cl::Program program;
  std::vector<Turn> turns;
  std::vector<cl::Event> events;                     // per slice of the batch: its first and last command
  std::vector<std::pair<cl_ulong, cl_ulong>> spans;  // start and end of each slice on the device
  bool naps;                                         // sleep before waiting, since the driver's wait spins
  std::chrono::nanoseconds nap{0};                   // how long to sleep
  ThreadChecker caller;                              // thread of render()

  Impl(const cl::Device& chosen, const EngineShape& s, std::size_t group_lanes)
      : shape(s),
        dsp(dsp_shape(s)),
        packer(s),
        positions(s),
        device(chosen),
        context(device),
        lanes(group_lanes),
        slice_stations(slice_of(device, s.stations)),
        staging_queue(context, device),
        packed_voices(context, staging_queue, s.stations * s.voices),
        packed_stations(context, staging_queue, s.stations),
        samples(context, staging_queue, s.float_mix ? 0 : s.stations * s.chunk_frames * 2),
        mixes(context, staging_queue, s.float_mix ? s.stations * s.chunk_frames * 2 : 0),
        dsp_buffer(context, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, sizeof dsp, &dsp),
        voices(context, CL_MEM_READ_ONLY, packed_voices.bytes()),
        stations(context, CL_MEM_READ_ONLY, packed_stations.bytes()),
        reverbs(context, CL_MEM_READ_WRITE, bytes_of(s.stations * reverb_words(dsp))),
        output(context, CL_MEM_WRITE_ONLY, std::max(samples.bytes(), mixes.bytes())),
        program(build()),
        naps(opencl_type_of(device) == DeviceType::kGpu) {
    const std::size_t slices = (s.stations + slice_stations - 1) / slice_stations;
    events.reserve(2 * slices);
    spans.reserve(slices);
    for (std::size_t i = 0; i < std::min(slices, kTurns); ++i) turns.push_back(make_turn());
  }

  // Wait for commands in flight: they write into memory that is released now.
  ~Impl() {
    for (const Turn& turn : turns) {
      try {
        turn.queue.finish();
      } catch (const cl::Error&) {  // a device that is lost writes no more
      }
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static std::size_t slice_of(const cl::Device& device, std::size_t stations) {
    if (opencl_type_of(device) == DeviceType::kCpu) return std::min(stations, kProcessorSlice);
    return std::max(std::min(stations, kLeastSlice), (stations + kSlices - 1) / kSlices);
  }

  static std::size_t bytes_of(std::size_t count) { return count * sizeof(float); }

  cl::Program build() const {
    std::string source;
    for (const std::string_view part :
         {embedded::shim_h, embedded::layout_h, embedded::oscillators_h, embedded::voices_h,
          embedded::leads_h, embedded::pad_saws_h, embedded::pad_sums_h, embedded::pads_h, embedded::reverb_h,
          embedded::mix_h, embedded::kernels_cl}) {
      source += part;
    }
    // -w: PoCL compiles twice, and its first pass prints a warning for each loop that it cannot vectorise.
    const std::string options = "-cl-std=CL1.2 -w -D DSP_LANES=" + std::to_string(lanes) +
                                " -D FLOAT_MIX=" + (shape.float_mix ? "1" : "0");
    cl::Program built(context, source);
    try {
      built.build({device}, options.c_str());
    } catch (const cl::Error& error) {
      throw EngineError(std::string(opencl_error(error).what()) + ": " +
                        built.getBuildInfo<CL_PROGRAM_BUILD_LOG>(device));
    }
    return built;
  }

  // Makes a stage with all arguments set except the last two, the slice's.
  Stage stage(const char* name, const std::vector<const cl::Buffer*>& buffers) const {
    Stage made{cl::Kernel(program, name), static_cast<cl_uint>(buffers.size())};
    for (cl_uint i = 0; i < buffers.size(); ++i) made.kernel.setArg(i, *buffers[i]);
    return made;
  }

  Turn make_turn() const {
    const cl::Buffer curves(context, CL_MEM_READ_WRITE, bytes_of(slice_stations * curve_words(dsp)));
    const cl::Buffer buses(context, CL_MEM_READ_WRITE, bytes_of(slice_stations * bus_words(dsp)));
    return {cl::CommandQueue(context, device, CL_QUEUE_PROFILING_ENABLE),
            curves,
            buses,
            stage("render_curves", {&dsp_buffer, &stations, &voices, &curves}),
            stage("render_blocks", {&dsp_buffer, &stations, &voices, &curves, &buses}),
            stage("render_reverb", {&dsp_buffer, &stations, &buses, &reverbs}),
            stage("finish", {&dsp_buffer, &stations, &buses, &output})};
  }

  // Enqueues copies and kernels for the batch's chunks [first, end).
  void enqueue(Turn& turn, std::size_t first, std::size_t end) {
    const std::size_t count = end - first;
    const auto launch = [&](Stage& made, const std::array<std::size_t, 3>& groups) {
      made.kernel.setArg(made.slice_argument, static_cast<cl_uint>(first));
      made.kernel.setArg(made.slice_argument + 1, static_cast<cl_uint>(count));
      turn.queue.enqueueNDRangeKernel(made.kernel, cl::NullRange,
                                      cl::NDRange(groups[0] * lanes, groups[1], groups[2]),
                                      cl::NDRange(lanes, 1, 1));
    };
    const std::size_t voice_bytes = shape.voices * sizeof(PackedVoice);
    turn.queue.enqueueWriteBuffer(voices, CL_FALSE, first * voice_bytes, count * voice_bytes,
                                  packed_voices.at(first * shape.voices), nullptr, &events.emplace_back());
    turn.queue.enqueueWriteBuffer(stations, CL_FALSE, first * sizeof(PackedStation),
                                  count * sizeof(PackedStation), packed_stations.at(first));
    launch(turn.curves_stage, {1, shape.voices, slice_stations});
    const std::size_t mix_lanes = std::size_t{dsp.tiles} / kBlockTiles * (lanes == 1 ? 1 : kBlockRows);
    launch(turn.blocks_stage, {(mix_lanes + lanes - 1) / lanes, slice_stations, 1});
    launch(turn.reverb_stage, {1, slice_stations, 1});
    launch(turn.finish_stage, {(shape.chunk_frames + kFinishFrames - 1) / kFinishFrames, slice_stations, 1});
    const std::size_t chunk_samples = std::size_t{shape.chunk_frames} * 2;
    const std::size_t chunk_bytes = chunk_samples * (shape.float_mix ? sizeof(float) : sizeof(std::int16_t));
    void* target = mixes.at(first * chunk_samples);
    if (!shape.float_mix) target = samples.at(first * chunk_samples);
    turn.queue.enqueueReadBuffer(output, CL_FALSE, first * chunk_bytes, count * chunk_bytes, target, nullptr,
                                 &events.emplace_back());
    turn.queue.flush();
  }

  void pack(const StationChunk& chunk, std::size_t index, RenderReport& report) {
    PackedStation& station = *packed_stations.at(index);
    report.voices_dropped += packer.pack(chunk, packed_voices.at(index * shape.voices), station);
    station.reverb_clear = positions.advance(chunk) ? 1 : 0;
  }

  // Packs and enqueues the batch slice by slice, then waits for it.
  RenderReport run(const StationChunk* batch, std::size_t count) {
    RenderReport report;
    events.clear();
    std::size_t slices = 0;
    for (std::size_t first = 0; first < count; first += slice_stations) {
      const std::size_t end = std::min(first + slice_stations, count);
      for (std::size_t i = first; i < end; ++i) pack(batch[i], i, report);
      enqueue(turns.at(slices++ % turns.size()), first, end);
    }
    wait();
    report.device_busy_ns = busy_ns();
    return report;
  }

  // Time during which the device worked on at least one slice of the batch.
  std::int64_t busy_ns() {
    spans.clear();
    for (std::size_t i = 0; i + 1 < events.size(); i += 2) {
      spans.emplace_back(events[i].getProfilingInfo<CL_PROFILING_COMMAND_START>(),
                         events[i + 1].getProfilingInfo<CL_PROFILING_COMMAND_END>());
    }
    std::sort(spans.begin(), spans.end());
    cl_ulong busy = 0;
    cl_ulong until = 0;
    for (const auto& [begin, end] : spans) {
      busy += std::max(end, until) - std::max(begin, until);
      until = std::max(end, until);
    }
    return static_cast<std::int64_t>(busy);
  }

  void wait() {
    const auto begin = std::chrono::steady_clock::now();
    if (naps) std::this_thread::sleep_for(nap);
    if (!events.empty()) cl::WaitForEvents(events);
    // Sleep three quarters of the last duration. A sleep that was too long shrinks by itself, since it is
    // part of that duration.
    nap = (std::chrono::steady_clock::now() - begin) * 3 / 4;
  }
};

OpenClEngine::OpenClEngine(std::size_t device, const EngineShape& shape, std::optional<std::size_t> lanes) {
  opencl_guarded([&] {
    const cl::Device chosen = all_opencl_devices().at(device);
    const std::size_t usual = opencl_type_of(chosen) == DeviceType::kCpu ? 1 : kTileFrames;
    impl_ = std::make_unique<Impl>(chosen, shape, lanes.value_or(usual));
    impl_->info = {"opencl", chosen.getInfo<CL_DEVICE_NAME>(), opencl_type_of(chosen)};
    const StationChunk silence;
    render(&silence, 1);
    impl_->positions = StationPositions(shape);
    impl_->nap = std::chrono::nanoseconds(0);  // the warm-up's duration was mostly compilation
    impl_->caller.detach();
  });
}
OpenClEngine::~OpenClEngine() = default;

RenderReport OpenClEngine::render(const StationChunk* batch, std::size_t count) {
  assert(impl_->caller.is_current());
  assert(is_batch(impl_->shape, batch, count));
  return opencl_guarded([&] { return impl_->run(batch, count); });
}

const std::int16_t* OpenClEngine::samples(std::size_t index) const {
  return impl_->samples.at(index * impl_->shape.chunk_frames * 2);
}

const float* OpenClEngine::mix(std::size_t index) const {
  return impl_->mixes.at(index * impl_->shape.chunk_frames * 2);
}

std::int64_t OpenClEngine::next_frame(std::size_t station) const {
  return impl_->positions.next_frame(station);
}
void OpenClEngine::forget(std::size_t station) { impl_->positions.forget(station); }

EngineInfo OpenClEngine::info() const { return impl_->info; }

std::size_t OpenClEngine::device_bytes() const {
  const Impl& i = *impl_;
  return i.packed_voices.bytes() + i.packed_stations.bytes() + std::max(i.samples.bytes(), i.mixes.bytes()) +
         Impl::bytes_of(i.turns.size() * i.slice_stations * (curve_words(i.dsp) + bus_words(i.dsp)) +
                        i.shape.stations * reverb_words(i.dsp));
}

}  // namespace auralis
