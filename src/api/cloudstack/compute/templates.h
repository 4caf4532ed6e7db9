/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/compute/: the object of a template, or of an ISO, which is an image of that format. */
#pragma once

#include "api/cloudstack/core/action.h"

struct image;

extern const struct api_listing cs_templates, cs_isos;

/* Ours for CloudStack's: "qcow2" for "QCOW2", in any case; empty: it is none that is taken. */
struct str cs_read_format(struct str format);
bool cs_is_iso(const struct image *image);
