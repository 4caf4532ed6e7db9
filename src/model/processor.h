/* SPDX-License-Identifier: Apache-2.0
 * A processor as text: a model, its vendor ("-": any), and features in byte order: "avx2" is present, "-avx2"
 * is missing although the model has it. All names are libvirt's, and every feature of the model is listed. So
 * comparing two processors needs no knowledge of models. Pure. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* Value in a host's row that gives guests all features of its own processor. */
#define PROCESSOR_OF_HOST "host"
/* True if the word names a model instead. */
bool processor_is_named(struct str word);

/* Writes the text. features: in any order; '-' marks missing ones. Empty: out of memory. */
struct str processor_write(struct arena *a, struct str model, struct str vendor, struct strs features);

/* The first two words. */
struct str processor_model(struct str cpu);
struct str processor_vendor(struct str cpu);
/* Iterates over the features. False: no more. */
struct processor_walk {
	struct str rest;
};
struct processor_walk processor_begin(struct str cpu);
bool processor_next(struct processor_walk *walk, struct str *ret_name, bool *ret_is_there);

/* True if a guest with one processor can run on the other: same vendor, and no feature missing. */
bool processor_covers(struct str host, struct str guest);
/* The reason if not, for people: a vendor, or the first few missing features. */
struct str processor_find_lacks(struct arena *a, struct str host, struct str guest);
/* The first processor without features that the other lacks. Empty: out of memory. */
struct str processor_limit(struct arena *a, struct str cpu, struct str other);
