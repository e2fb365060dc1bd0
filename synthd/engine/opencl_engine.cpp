// SPDX-License-Identifier: MIT
#include "synthd/engine/opencl_engine.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <thread>

#include "embedded/kernels_cl.h"
#include "embedded/layout_h.h"
#include "embedded/mix_h.h"
#include "embedded/oscillators_h.h"
#include "embedded/pads_h.h"
#include "embedded/reverb_h.h"
#include "embedded/shim_h.h"
#include "embedded/voices_h.h"
#include "synthd/engine/opencl_support.h"
#include "synthd/engine/voice_pack.h"

namespace auralis {
namespace {

constexpr std::size_t kSlices = 4;           // of a batch, so that packing, copies and kernels overlap ...
constexpr std::size_t kLeastSlice = 8;       // ... where there are stations for it
constexpr std::size_t kProcessorSlice = 32;  // a processor's caches hold no more from one stage to the next

// Memory of the host that the device's copies reach without the driver's help, mapped for good.
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
    } catch (const cl::Error&) {  // of a device that is lost there is nothing to give back
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
  T* host_;  // the driver's
};

}  // namespace

struct OpenClEngine::Impl {
  // Chunks of a batch that are launched together.
  struct Slice {
    std::size_t queue;
    std::size_t first;
    std::size_t count;
  };

  struct Stage {
    cl::Kernel kernel;
    cl_uint slice_argument;  // the first of the three that tell the slice
  };

  EngineShape shape;
  DspShape dsp;
  VoicePacker packer;
  SlotPositions positions;

  cl::Device device;
  cl::Context context;
  std::size_t lanes;           // work items a group
  std::size_t slice_stations;  // chunks a launch
  // Slices take turns, so that one's copies overlap the other's kernels.
  std::array<cl::CommandQueue, 2> queues;
  Staging<PackedVoice> packed_voices;
  Staging<PackedStation> packed_stations;
  Staging<std::int16_t> samples;
  Staging<float> mixes;
  cl::Buffer dsp_buffer;
  cl::Buffer voices;
  cl::Buffer stations;
  cl::Buffer curves;
  cl::Buffer buses;
  cl::Buffer reverbs;
  cl::Buffer output;
  cl::Program program;
  Stage curves_stage;
  Stage blocks_stage;
  Stage reverb_stage;
  Stage finish_stage;
  std::vector<cl::Event> events;    // of the batch: the first and the last of each slice
  bool naps;                        // the driver's wait spins: sleep first
  std::chrono::nanoseconds nap{0};  // how long the last batches surely take

  Impl(const cl::Device& chosen, const EngineShape& s, std::size_t group_lanes)
      : shape(s),
        dsp(dsp_shape(s)),
        packer(s),
        positions(s),
        device(chosen),
        context(device),
        lanes(group_lanes),
        slice_stations(slice_of(device, s.stations)),
        queues{cl::CommandQueue(context, device, CL_QUEUE_PROFILING_ENABLE),
               cl::CommandQueue(context, device, CL_QUEUE_PROFILING_ENABLE)},
        packed_voices(context, queues[0], s.stations * s.voices),
        packed_stations(context, queues[0], s.stations),
        samples(context, queues[0], s.float_mix ? 0 : s.stations * s.chunk_frames * 2),
        mixes(context, queues[0], s.float_mix ? s.stations * s.chunk_frames * 2 : 0),
        dsp_buffer(context, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, sizeof dsp, &dsp),
        voices(context, CL_MEM_READ_ONLY, packed_voices.bytes()),
        stations(context, CL_MEM_READ_ONLY, packed_stations.bytes()),
        curves(context, CL_MEM_READ_WRITE, bytes_of(work_stations() * curve_words(dsp))),
        buses(context, CL_MEM_READ_WRITE, bytes_of(work_stations() * bus_words(dsp))),
        reverbs(context, CL_MEM_READ_WRITE, bytes_of(s.stations * reverb_words(dsp))),
        output(context, CL_MEM_WRITE_ONLY, std::max(samples.bytes(), mixes.bytes())),
        program(build()),
        curves_stage(stage("render_curves", {&dsp_buffer, &stations, &voices, &curves})),
        blocks_stage(stage("render_blocks", {&dsp_buffer, &stations, &voices, &curves, &buses})),
        reverb_stage(stage("render_reverb", {&dsp_buffer, &stations, &buses, &reverbs})),
        finish_stage(stage("finish", {&dsp_buffer, &stations, &buses, &output})),
        naps(opencl_type_of(device) == DeviceType::kGpu) {
    events.reserve(2 * (s.stations / slice_stations + 1));
  }

  static std::size_t slice_of(const cl::Device& device, std::size_t stations) {
    if (opencl_type_of(device) == DeviceType::kCpu) return std::min(stations, kProcessorSlice);
    return std::max(std::min(stations, kLeastSlice), (stations + kSlices - 1) / kSlices);
  }

  // The slices of a queue use the same curves and buses, one after the other.
  std::size_t work_stations() const { return queues.size() * slice_stations; }

  static std::size_t bytes_of(std::size_t count) { return count * sizeof(float); }

  cl::Program build() const {
    std::string source;
    for (const std::string_view part :
         {embedded::shim_h, embedded::layout_h, embedded::oscillators_h, embedded::voices_h, embedded::pads_h,
          embedded::reverb_h, embedded::mix_h, embedded::kernels_cl}) {
      source += part;
    }
    // -w: PoCL compiles twice, and what the first pass cannot vectorise it would tell on standard error.
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

  // Its arguments but for the last three, which tell the slice.
  Stage stage(const char* name, const std::vector<const cl::Buffer*>& buffers) const {
    Stage made{cl::Kernel(program, name), static_cast<cl_uint>(buffers.size())};
    for (cl_uint i = 0; i < buffers.size(); ++i) made.kernel.setArg(i, *buffers[i]);
    return made;
  }

  void launch(const Slice& slice, Stage& made, const std::array<std::size_t, 3>& groups) const {
    made.kernel.setArg(made.slice_argument, static_cast<cl_uint>(slice.first));
    made.kernel.setArg(made.slice_argument + 1, static_cast<cl_uint>(slice.count));
    made.kernel.setArg(made.slice_argument + 2, static_cast<cl_uint>(slice.queue * slice_stations));
    queues.at(slice.queue)
        .enqueueNDRangeKernel(made.kernel, cl::NullRange,
                              cl::NDRange(groups[0] * lanes, groups[1], groups[2]), cl::NDRange(lanes, 1, 1));
  }

  void enqueue(const Slice& slice) {
    const cl::CommandQueue& queue = queues.at(slice.queue);
    const std::size_t first = slice.first;
    const std::size_t count = slice.count;
    const std::size_t voice_bytes = shape.voices * sizeof(PackedVoice);
    queue.enqueueWriteBuffer(voices, CL_FALSE, first * voice_bytes, count * voice_bytes,
                             packed_voices.at(first * shape.voices), nullptr, &events.emplace_back());
    queue.enqueueWriteBuffer(stations, CL_FALSE, first * sizeof(PackedStation), count * sizeof(PackedStation),
                             packed_stations.at(first));
    launch(slice, curves_stage, {1, shape.voices, slice_stations});
    const std::size_t mix_lanes = dsp.tiles / kBlockTiles * (lanes == 1 ? 1 : kBlockTiles * kTileRows);
    launch(slice, blocks_stage, {(mix_lanes + lanes - 1) / lanes, slice_stations, 1});
    launch(slice, reverb_stage, {1, slice_stations, 1});
    launch(slice, finish_stage,
           {(shape.chunk_frames + kFinishFrames - 1) / kFinishFrames, slice_stations, 1});
    const std::size_t chunk_samples = std::size_t{shape.chunk_frames} * 2;
    const std::size_t chunk_bytes = chunk_samples * (shape.float_mix ? sizeof(float) : sizeof(std::int16_t));
    void* target = mixes.at(first * chunk_samples);
    if (!shape.float_mix) target = samples.at(first * chunk_samples);
    queue.enqueueReadBuffer(output, CL_FALSE, first * chunk_bytes, count * chunk_bytes, target, nullptr,
                            &events.emplace_back());
    queue.flush();
  }

  void pack(const StationChunk& chunk, std::size_t index, RenderReport& report) {
    PackedStation& station = *packed_stations.at(index);
    report.voices_dropped += packer.pack(chunk, packed_voices.at(index * shape.voices), station);
    station.reverb_clear = positions.begins_anew(chunk) ? 1 : 0;
  }

  // Hands the batch over, slice by slice, and waits for it; the time from the device's first work on it to
  // the last.
  std::int64_t run(const StationChunk* batch, std::size_t count, RenderReport& report) {
    events.clear();
    std::size_t turn = 0;
    for (std::size_t first = 0; first < count; first += slice_stations) {
      const std::size_t end = std::min(first + slice_stations, count);
      for (std::size_t i = first; i < end; ++i) pack(batch[i], i, report);
      enqueue({turn++ % queues.size(), first, end - first});
    }
    wait();
    cl_ulong begin = ~cl_ulong{0};
    cl_ulong end = 0;
    for (const auto& event : events) {
      begin = std::min(begin, event.getProfilingInfo<CL_PROFILING_COMMAND_START>());
      end = std::max(end, event.getProfilingInfo<CL_PROFILING_COMMAND_END>());
    }
    return events.empty() ? 0 : static_cast<std::int64_t>(end - begin);
  }

  void wait() {
    const auto begin = std::chrono::steady_clock::now();
    if (naps) std::this_thread::sleep_for(nap);
    if (!events.empty()) cl::WaitForEvents(events);
    // Three quarters of what it took; a nap that was too long heals by itself, since it also counts.
    nap = (std::chrono::steady_clock::now() - begin) * 3 / 4;
  }
};

OpenClEngine::OpenClEngine(std::size_t device, const EngineShape& shape, std::optional<std::size_t> lanes) {
  opencl_guarded([&] {
    const cl::Device chosen = all_opencl_devices().at(device);
    const std::size_t usual = opencl_type_of(chosen) == DeviceType::kCpu ? 1 : kTileFrames;
    impl_ = std::make_unique<Impl>(chosen, shape, lanes.value_or(usual));
    const StationChunk silence;
    render(&silence, 1);
    impl_->positions = SlotPositions(shape);
    impl_->nap = std::chrono::nanoseconds(0);  // that was mostly the compiler's time
  });
}
OpenClEngine::~OpenClEngine() = default;

RenderReport OpenClEngine::render(const StationChunk* batch, std::size_t count) {
  RenderReport report;
  report.device_busy_ns = opencl_guarded([&] { return impl_->run(batch, count, report); });
  return report;
}

const std::int16_t* OpenClEngine::samples(std::size_t index) const {
  return impl_->samples.at(index * impl_->shape.chunk_frames * 2);
}

const float* OpenClEngine::mix(std::size_t index) const {
  return impl_->mixes.at(index * impl_->shape.chunk_frames * 2);
}

std::int64_t OpenClEngine::next_frame(std::size_t slot) const { return impl_->positions.next_frame(slot); }

std::size_t OpenClEngine::device_bytes() const {
  const Impl& i = *impl_;
  return i.packed_voices.bytes() + i.packed_stations.bytes() + std::max(i.samples.bytes(), i.mixes.bytes()) +
         Impl::bytes_of(i.work_stations() * (curve_words(i.dsp) + bus_words(i.dsp)) +
                        i.shape.stations * reverb_words(i.dsp));
}

}  // namespace auralis
