// SPDX-License-Identifier: MIT
// Which mutex guards what, said so that Clang checks it (-Wthread-safety, which scripts/lint runs). They mean
// nothing to other compilers. Clang's documentation, "Thread Safety Analysis", defines each.
#pragma once

#if defined(__clang__)
#define AURALIS_THREAD_ANNOTATION(attribute) __attribute__((attribute))
#else
#define AURALIS_THREAD_ANNOTATION(attribute)
#endif

// Of a class: a mutex, and an object that holds one for as long as it lives.
#define AURALIS_CAPABILITY(name) AURALIS_THREAD_ANNOTATION(capability(name))
#define AURALIS_SCOPED_CAPABILITY AURALIS_THREAD_ANNOTATION(scoped_lockable)

// Of a member: read and written only while the mutex is held; of a pointer: what it points to.
#define AURALIS_GUARDED_BY(mutex) AURALIS_THREAD_ANNOTATION(guarded_by(mutex))
#define AURALIS_PT_GUARDED_BY(mutex) AURALIS_THREAD_ANNOTATION(pt_guarded_by(mutex))

// Of a function: its caller holds the mutex, or must not hold it; it acquires the mutex, or releases it.
#define AURALIS_REQUIRES(...) AURALIS_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define AURALIS_EXCLUDES(...) AURALIS_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define AURALIS_ACQUIRE(...) AURALIS_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define AURALIS_RELEASE(...) AURALIS_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
