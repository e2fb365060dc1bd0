// SPDX-License-Identifier: MIT
#include "synthd/engine/opencl_engine.h"

#include <unistd.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>

#include "embedded/dsp_cl.h"
#include "embedded/render_cl.h"
#include "synthd/engine/voice_pack.h"

#define CL_HPP_ENABLE_EXCEPTIONS
#define CL_HPP_MINIMUM_OPENCL_VERSION 120
#define CL_HPP_TARGET_OPENCL_VERSION 120
#include <CL/opencl.hpp>

namespace auralis {
namespace {

constexpr std::size_t kGroupFrames = 64;  // work-group size: frames of one station
constexpr cl_int kNoPlatform = -1001;     // CL_PLATFORM_NOT_FOUND_KHR of cl_khr_icd: no driver is installed

std::string_view error_name(cl_int code) {
  switch (code) {
#define AURALIS_NAME(name) \
  case name:               \
    return #name;
    AURALIS_NAME(CL_DEVICE_NOT_FOUND)
    AURALIS_NAME(CL_DEVICE_NOT_AVAILABLE)
    AURALIS_NAME(CL_COMPILER_NOT_AVAILABLE)
    AURALIS_NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE)
    AURALIS_NAME(CL_OUT_OF_RESOURCES)
    AURALIS_NAME(CL_OUT_OF_HOST_MEMORY)
    AURALIS_NAME(CL_BUILD_PROGRAM_FAILURE)
    AURALIS_NAME(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)
    AURALIS_NAME(CL_INVALID_VALUE)
    AURALIS_NAME(CL_INVALID_DEVICE)
    AURALIS_NAME(CL_INVALID_PLATFORM)
    AURALIS_NAME(CL_INVALID_BUFFER_SIZE)
    AURALIS_NAME(CL_INVALID_KERNEL_ARGS)
    AURALIS_NAME(CL_INVALID_WORK_GROUP_SIZE)
    AURALIS_NAME(CL_INVALID_COMMAND_QUEUE)
#undef AURALIS_NAME
    default:
      return "OpenCL error";
  }
}

EngineError engine_error(const cl::Error& error) {
  return EngineError(std::string(error.what()) + " failed: " + std::string(error_name(error.err())) + " (" +
                     std::to_string(error.err()) + ")");
}

// Runs `body`, turning what OpenCL throws into EngineError.
template <typename Body>
auto guarded(const Body& body) {
  try {
    return body();
  } catch (const cl::Error& error) {
    throw engine_error(error);
  }
}

std::vector<cl::Device> all_devices() {
  std::vector<cl::Platform> platforms;
  try {
    cl::Platform::get(&platforms);
  } catch (const cl::Error& error) {
    if (error.err() != kNoPlatform) throw;
  }
  std::vector<cl::Device> devices;
  for (const auto& platform : platforms) {
    std::vector<cl::Device> found;
    try {
      platform.getDevices(CL_DEVICE_TYPE_ALL, &found);
    } catch (const cl::Error& error) {
      if (error.err() != CL_DEVICE_NOT_FOUND) throw;
    }
    devices.insert(devices.end(), found.begin(), found.end());
  }
  return devices;
}

DeviceType type_of(const cl::Device& device) {
  const auto type = device.getInfo<CL_DEVICE_TYPE>();
  if ((type & CL_DEVICE_TYPE_GPU) != 0) return DeviceType::kGpu;
  return (type & CL_DEVICE_TYPE_CPU) != 0 ? DeviceType::kCpu : DeviceType::kAccelerator;
}

std::int64_t duration_ns(const cl::Event& event) {
  return static_cast<std::int64_t>(event.getProfilingInfo<CL_PROFILING_COMMAND_END>() -
                                   event.getProfilingInfo<CL_PROFILING_COMMAND_START>());
}

bool usable_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  return !error && ::access(path.c_str(), W_OK | X_OK) == 0;
}

std::filesystem::path cache_folder(const std::filesystem::path& fallback) {
  std::vector<std::filesystem::path> candidates;
  if (const char* service = std::getenv("CACHE_DIRECTORY")) {
    const std::string_view list(service);
    candidates.emplace_back(list.substr(0, list.find(':')));  // of systemd's list the first
  }
  if (const char* user = std::getenv("XDG_CACHE_HOME")) {
    candidates.push_back(std::filesystem::path(user) / "auralis");
  } else if (const char* home = std::getenv("HOME")) {
    candidates.push_back(std::filesystem::path(home) / ".cache" / "auralis");
  }
  const auto found = std::find_if(candidates.begin(), candidates.end(), usable_folder);
  if (found != candidates.end()) return *found;
  usable_folder(fallback);
  return fallback;
}

}  // namespace

void prepare_opencl_environment(const std::filesystem::path& fallback) {
  const auto set_default = [](const char* name, const std::string& value) {
    ::setenv(name, value.c_str(), 0);
  };
  if (std::getenv("POCL_CACHE_DIR") == nullptr) set_default("POCL_CACHE_DIR", cache_folder(fallback));
  const std::string processors = std::to_string(std::max(2U, std::thread::hardware_concurrency()) - 1);
  set_default("POCL_MAX_PTHREAD_COUNT", processors);  // PoCL 3
  set_default("POCL_CPU_MAX_CU_COUNT", processors);   // PoCL 4 and newer
  set_default("POCL_WORK_GROUP_SPECIALIZATION", "0");
}

std::vector<DeviceInfo> opencl_devices() {
  return guarded([] {
    std::vector<DeviceInfo> infos;
    for (const auto& device : all_devices()) {
      const cl::Platform platform(device.getInfo<CL_DEVICE_PLATFORM>());
      infos.push_back(
          {platform.getInfo<CL_PLATFORM_NAME>(), device.getInfo<CL_DEVICE_NAME>(), type_of(device)});
    }
    return infos;
  });
}

struct OpenClEngine::Impl {
  EngineShape shape;
  std::size_t frame_stride;  // frames of a chunk, up to the next whole work group
  VoicePacker packer;
  std::vector<PackedVoice> packed_voices;
  std::vector<PackedStation> packed_stations;
  std::vector<std::int16_t> output;

  cl::Device device;
  cl::Context context;
  cl::CommandQueue queue;
  cl::Buffer voices;
  cl::Buffer stations;
  cl::Buffer samples;
  cl::Kernel kernel;
  bool naps;                        // the driver's wait spins: sleep first
  std::chrono::nanoseconds nap{0};  // how long the last batches surely take

  Impl(const cl::Device& chosen, const EngineShape& s)
      : shape(s),
        frame_stride((s.chunk_frames + kGroupFrames - 1) / kGroupFrames * kGroupFrames),
        packer(s),
        packed_voices(s.stations * s.voices),
        packed_stations(s.stations),
        output(s.stations * frame_stride * 2),
        device(chosen),
        context(device),
        queue(context, device, CL_QUEUE_PROFILING_ENABLE),
        voices(context, CL_MEM_READ_ONLY, bytes_of(packed_voices)),
        stations(context, CL_MEM_READ_ONLY, bytes_of(packed_stations)),
        samples(context, CL_MEM_WRITE_ONLY, bytes_of(output)),
        kernel(build(), "render"),
        naps(type_of(device) == DeviceType::kGpu) {
    kernel.setArg(0, voices);
    kernel.setArg(1, stations);
    kernel.setArg(3, samples);
  }

  template <typename T>
  static std::size_t bytes_of(const std::vector<T>& values) {
    return values.size() * sizeof(T);
  }

  std::string build_options() const {
    const auto define = [](const char* name, std::uint64_t value) {
      return std::string(" -D ") + name + "=" + std::to_string(value);
    };
    const auto frames = [this](std::uint32_t ms) { return std::uint64_t{ms} * shape.sample_rate / 1'000; };
    return "-cl-std=CL1.2" + define("SAMPLE_RATE", shape.sample_rate) +
           define("CHUNK_FRAMES", shape.chunk_frames) + define("FRAME_STRIDE", frame_stride) +
           define("VOICE_STRIDE", shape.voices) + define("PAD_RELEASE_FRAMES", frames(kPadReleaseMs)) +
           define("LEAD_RELEASE_FRAMES", frames(kLeadReleaseMs)) + define("KICK_FRAMES", frames(kKickMs));
  }

  cl::Program build() const {
    cl::Program program(context, std::string(embedded::dsp_cl) + std::string(embedded::render_cl));
    try {
      program.build({device}, build_options().c_str());
    } catch (const cl::Error& error) {
      throw EngineError(std::string(engine_error(error).what()) + ": " +
                        program.getBuildInfo<CL_PROGRAM_BUILD_LOG>(device));
    }
    return program;
  }

  // Hands the batch over and waits for it; the time that the device worked.
  std::int64_t run(std::size_t count) {
    std::array<cl::Event, 4> events;
    kernel.setArg(2, static_cast<cl_uint>(count));
    queue.enqueueWriteBuffer(voices, CL_FALSE, 0, count * shape.voices * sizeof(PackedVoice),
                             packed_voices.data(), nullptr, &events[0]);
    queue.enqueueWriteBuffer(stations, CL_FALSE, 0, count * sizeof(PackedStation), packed_stations.data(),
                             nullptr, &events[1]);
    queue.enqueueNDRangeKernel(kernel, cl::NullRange, cl::NDRange(frame_stride, shape.stations),
                               cl::NDRange(kGroupFrames, 1), nullptr, &events[2]);
    queue.enqueueReadBuffer(samples, CL_FALSE, 0, count * frame_stride * 2 * sizeof(std::int16_t),
                            output.data(), nullptr, &events[3]);
    queue.flush();
    wait(events[3]);
    std::int64_t busy_ns = 0;
    for (const auto& event : events) busy_ns += duration_ns(event);
    return busy_ns;
  }

  void wait(const cl::Event& last) {
    const auto begin = std::chrono::steady_clock::now();
    if (naps) std::this_thread::sleep_for(nap);
    last.wait();
    // Three quarters of what it took; a nap that was too long heals by itself, since it also counts.
    nap = (std::chrono::steady_clock::now() - begin) * 3 / 4;
  }
};

OpenClEngine::OpenClEngine(std::size_t device, const EngineShape& shape) {
  guarded([&] {
    impl_ = std::make_unique<Impl>(all_devices().at(device), shape);
    const StationChunk silence;
    render(&silence, 1);
    impl_->nap = std::chrono::nanoseconds(0);  // that was mostly the compiler's time
  });
}
OpenClEngine::~OpenClEngine() = default;

RenderReport OpenClEngine::render(const StationChunk* batch, std::size_t count) {
  RenderReport report;
  for (std::size_t i = 0; i < count; ++i) {
    report.voices_dropped += impl_->packer.pack(batch[i], &impl_->packed_voices.at(i * impl_->shape.voices),
                                                impl_->packed_stations.at(i));
  }
  report.device_busy_ns = guarded([&] { return impl_->run(count); });
  return report;
}

const std::int16_t* OpenClEngine::samples(std::size_t index) const {
  return &impl_->output.at(index * impl_->frame_stride * 2);
}

std::size_t OpenClEngine::device_bytes() const {
  return Impl::bytes_of(impl_->packed_voices) + Impl::bytes_of(impl_->packed_stations) +
         Impl::bytes_of(impl_->output);
}

}  // namespace auralis
