/* SPDX-License-Identifier: Apache-2.0
 * Verifies by an image's bytes that it refers to no other file, before qemu-img sees it: qemu-img opens files
 * named in an image, and older versions do so even for "info". */
#pragma once

#include "base/ctx.h"

/* format: qemu-img's name; qcow2 and vmdk are checked, others can't refer to files. ERR_INVALID: another
 * format, or it refers to another file. ERR_NOT_FOUND, ERR_IO. */
RESULT image_header_check(struct ctx *c, const char *path, const char *format);
