/* SPDX-License-Identifier: Apache-2.0
 * Price lists as clouds publish them, read into prices of instance types: AWS's offer files and the answers of its
 * GetProducts, Azure's retail prices, and Dari's own form. Pure; any thread. */
#pragma once

#include <jansson.h>

#include "base/ctx.h"

struct price_file {
	json_t *prices; /* owned: a type's name, and the price of an hour as a text */
	struct str currency;
	size_t read, taken; /* entries of the file, and those that are prices of types of the region */
};

/* Reads one file, or one page of several; prices accumulate. ERR_INVALID: the form is unknown, or the currencies differ. */
RESULT price_file_read(struct ctx *c, const json_t *file, struct str region, struct price_file *ret);
