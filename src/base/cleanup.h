/* SPDX-License-Identifier: Apache-2.0
 * Cleanup at the end of a scope. AUTO(T) name = T_new(); frees it by T_free() at the end of the scope,
 * however it is left. A type supports this by DEFINE_AUTO(T) below the declaration of its T_free(struct T *),
 * which must accept NULL. base/result.h shows two ways to misuse it. */
#pragma once

#define AUTO(T) __attribute__((cleanup(T##_autofree))) struct T *
#define DEFINE_AUTO(T)                                                                                       \
	static inline void T##_autofree(struct T **p)                                                        \
	{                                                                                                    \
		T##_free(*p);                                                                                \
		*p = 0;                                                                                      \
	}

/* A file descriptor that is closed at the end of the scope; -1: none. */
#define AUTO_FD __attribute__((cleanup(fd_autoclose))) int
void fd_autoclose(int *fd);

/* Moves the value out of an AUTO variable, leaving NULL, so that it isn't freed. */
#define TAKE(p)                                                                                              \
	__extension__({                                                                                      \
		typeof(p) taken_ = (p);                                                                      \
		(p) = 0;                                                                                     \
		taken_;                                                                                      \
	})
