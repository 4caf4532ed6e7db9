/* SPDX-License-Identifier: Apache-2.0
 * Where accounts may not send us: what only this machine is to reach. For curl's open-socket functions. */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

/* This machine itself, and what answers on every link. Pure. */
bool web_is_inside(const struct curl_sockaddr *address);
