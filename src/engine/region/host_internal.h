/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: URIs and paths of hosts. Pure. */
#pragma once

#include "base/str.h"

/* True for a libvirt URI of at most 255 bytes that leads to a host and nowhere else. */
bool host_is_uri(struct str uri);
/* True for an absolute path of at most 255 bytes without blanks, quotes and "..". */
bool host_is_path(struct str path);
