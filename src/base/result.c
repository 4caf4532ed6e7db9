/* SPDX-License-Identifier: Apache-2.0
 * Names and meanings of the error kinds, from err.def. */
#include "base/result.h"

#include <stddef.h>

static const char *const names[] = {
#define ERR(name, meaning) [ERR_##name] = #name,
#include "base/err.def"
#undef ERR
};

static const char *const meanings[] = {
#define ERR(name, meaning) [ERR_##name] = meaning,
#include "base/err.def"
#undef ERR
};

const char *err_name(enum err code)
{
	return (size_t) code < ERR_COUNT ? names[code] : "?";
}

const char *err_meaning(enum err code)
{
	return (size_t) code < ERR_COUNT ? meanings[code] : "an error that does not exist";
}
