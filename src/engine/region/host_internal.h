/* SPDX-License-Identifier: Apache-2.0
 * Private to the engine: how hosts are reached, and where their disks are. Pure. */
#pragma once

#include "base/str.h"

/* Whether the text is a URI of libvirt's, of at most 255 bytes, that leads to a host and nowhere else. */
bool host_is_uri(struct str uri);
/* Whether the text is an absolute path, of at most 255 bytes, without blanks, quotes and "..". */
bool host_is_path(struct str path);
