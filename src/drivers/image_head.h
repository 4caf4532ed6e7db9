/* SPDX-License-Identifier: Apache-2.0
 * Whether an image stands by itself, by its own bytes: asked before qemu-img sees it, which opens what an
 * image names, and in older versions does so already for telling what it is. */
#pragma once

#include "base/ctx.h"

/* format as qemu-img calls it; qcow2 and vmdk are looked at: no others name files. ERR_INVALID: it is not of
 * that format, or refers to another file. ERR_NOT_FOUND, ERR_IO. */
RESULT image_head_check(struct ctx *c, const char *path, const char *format);
