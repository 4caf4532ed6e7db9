/* SPDX-License-Identifier: Apache-2.0
 * Scope-bound cleanup. AUTO(T) name = T_new(); frees it with T_free() at the end of the scope,
 * whatever the way out. A type takes part by DEFINE_AUTO(T) below its T_free(struct T *), which
 * must accept NULL. */
#pragma once

#define AUTO(T) __attribute__((cleanup(T##_autofree))) struct T *
#define DEFINE_AUTO(T)                                                                                       \
	static inline void T##_autofree(struct T **p)                                                        \
	{                                                                                                    \
		T##_free(*p);                                                                                \
		*p = 0;                                                                                      \
	}

/* A file descriptor closed at the end of the scope; -1 is none. */
#define AUTO_FD __attribute__((cleanup(fd_autoclose))) int
void fd_autoclose(int *fd);

/* Hands the value out of an AUTO variable, which then cleans nothing. */
#define TAKE(p)                                                                                              \
	__extension__({                                                                                      \
		typeof(p) taken_ = (p);                                                                      \
		(p) = 0;                                                                                     \
		taken_;                                                                                      \
	})
