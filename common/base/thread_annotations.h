// SPDX-License-Identifier: MIT
// Annotations that say which mutex guards which data. Clang checks them (-Wthread-safety, which the
// sanitizers' builds set), other compilers ignore them. Clang's documentation, "Thread Safety Analysis",
// defines each.
#pragma once

#if defined(__clang__)
#define AURALIS_THREAD_ANNOTATION(attribute) __attribute__((attribute))
#else
#define AURALIS_THREAD_ANNOTATION(attribute)
#endif

// For a class: a mutex, and an object that holds one for its lifetime.
#define AURALIS_CAPABILITY(name) AURALIS_THREAD_ANNOTATION(capability(name))
#define AURALIS_SCOPED_CAPABILITY AURALIS_THREAD_ANNOTATION(scoped_lockable)

// For a member: accessed only while the mutex is held; for a pointer: the object that it points to is.
#define AURALIS_GUARDED_BY(mutex) AURALIS_THREAD_ANNOTATION(guarded_by(mutex))
#define AURALIS_PT_GUARDED_BY(mutex) AURALIS_THREAD_ANNOTATION(pt_guarded_by(mutex))

// For a function: the caller holds the mutex, or must not hold it; the function acquires the mutex, or
// releases it.
#define AURALIS_REQUIRES(...) AURALIS_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define AURALIS_EXCLUDES(...) AURALIS_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define AURALIS_ACQUIRE(...) AURALIS_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define AURALIS_RELEASE(...) AURALIS_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
