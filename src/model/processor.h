/* SPDX-License-Identifier: Apache-2.0
 * A processor as a text: the name of a model, its vendor ("-": any), and features in the order of bytes: "avx2" is
 * there, "-avx2" is not, although the model has it. All are libvirt's names; each feature that the model stands for is
 * spelt out. So what one processor lacks of another is told without knowing any model. Pure. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* What a host's row says whose guests get all that its own processor can do. */
#define PROCESSOR_OF_HOST "host"
/* Whether it names a model instead. */
bool processor_is_named(struct str word);

/* Writes the text. features: in any order; those that begin with '-' are not there. An empty text: out of memory. */
struct str processor_write(struct arena *a, struct str model, struct str vendor, struct strs features);

/* The first two words. */
struct str processor_model(struct str cpu);
struct str processor_vendor(struct str cpu);
/* Goes through the features, from the first on. False: that was all. */
struct processor_walk {
	struct str rest;
};
struct processor_walk processor_begin(struct str cpu);
bool processor_next(struct processor_walk *walk, struct str *ret_name, bool *ret_is_there);

/* Whether a guest that has the one runs on the other: same vendor, and every feature. */
bool processor_covers(struct str host, struct str guest);
/* What is in the way of that, in words for people: a vendor, or the first few features. */
struct str processor_find_lacks(struct arena *a, struct str host, struct str guest);
/* The first, without what the other lacks. An empty text: out of memory. */
struct str processor_limit(struct arena *a, struct str cpu, struct str other);
