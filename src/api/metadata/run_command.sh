#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Dari.RunCommand: a program that Azure's agent in a guest fetches and runs (an extension's handler). It runs the script that
# its settings say, once for each of their numbers, and writes what came of it where the agent looks. The script comes in
# base64, so that no JSON has to be read here: "script64", and "args64", which sets its arguments and variables.
set -u
here=$(cd "$(dirname "$0")" && pwd)
keys=/var/lib/waagent
shown=4096 # bytes of each output that are told

# The text of a member of a JSON document that has no quotes in its texts.
value_of() {
    tr -d '\n' <"$1" | sed -n "s/.*\"$2\" *: *\"\\([^\"]*\\)\".*/\\1/p"
}

folder_of() {
    value_of "$here/HandlerEnvironment.json" "$1"
}

# The end of a file as the inside of a JSON text.
escaped() {
    if command -v iconv >/dev/null 2>&1; then
        tail -c $shown "$1" | iconv -c -f UTF-8 -t UTF-8
    else
        tail -c $shown "$1" | LC_ALL=C tr -cd '\11\12\40-\176'
    fi | tr -d '\000-\010\013-\037\177' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/	/\\t/g' |
        awk '{ printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }'
}

# tell NUMBER STATUS CODE MESSAGE: the message is the inside of a JSON text.
tell() {
    file=$(folder_of statusFolder)/$1.status
    printf '[{"version":"1.0","timestampUTC":"%s","status":{"name":"RunCommand","operation":"Enable","status":"%s","code":%d,"formattedMessage":{"lang":"en-US","message":"%s"},"substatus":[]}}]\n' \
        "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2" "$3" "$4" >"$file.new" && mv "$file.new" "$file"
}

# The settings with the script: those that only this machine can read, if there are such.
read_settings() {
    protected=$(value_of "$1" protectedSettings)
    if [ -z "$protected" ]; then
        cat "$1"
        return
    fi
    print=$(value_of "$1" protectedSettingsCertThumbprint)
    printf %s "$protected" | base64 -d |
        openssl cms -decrypt -inform DER -inkey "$keys/$print.prv" -recip "$keys/$print.crt"
}

run() {
    umask 077
    work=$here/run/$1
    mkdir -p "$work" && cd "$work" || exit 1
    if ! read_settings "$(folder_of configFolder)/$1.settings" >settings 2>stderr; then
        tell "$1" error 1 "Enable failed: cannot read the settings\\n[stdout]\\n\\n[stderr]\\n$(escaped stderr)"
        exit 1
    fi
    value_of settings script64 | base64 -d >script
    if [ ! -s script ]; then
        tell "$1" error 1 "Enable failed: the settings say no script."
        exit 1
    fi
    args=$(value_of settings args64 | base64 -d)
    rm -f settings
    chmod 700 script
    (
        eval "$args"
        case $(head -c 2 script) in
        '#!') exec ./script "$@" ;;
        *) exec sh ./script "$@" ;;
        esac
    ) >stdout 2>stderr </dev/null
    code=$?
    said="\\n[stdout]\\n$(escaped stdout)\\n[stderr]\\n$(escaped stderr)"
    if [ $code -eq 0 ]; then
        tell "$1" success 0 "Enable succeeded: $said"
    else
        tell "$1" error $code "Enable failed: failed to execute command: command terminated with exit status=$code$said"
    fi
}

# The agent asks again after each boot: what has begun once is not run again.
enable() {
    number=${ConfigSequenceNumber:-$(cd "$(folder_of configFolder)" && ls | sed -n 's/^\([0-9]*\)\.settings$/\1/p' | sort -n | tail -n 1)}
    last=$(cat "$here/last" 2>/dev/null || echo -1)
    [ "${number:-0}" -gt "$last" ] || exit 0
    echo "$number" >"$here/last"
    tell "$number" transitioning 0 "The script runs."
    (
        trap '' HUP # the agent does not wait for it
        run "$number"
    ) >/dev/null 2>&1 </dev/null &
}

case ${1:-} in
enable) enable ;;
update) # an earlier version has run what it was told
    cp "${AZURE_GUEST_AGENT_EXTENSION_PATH:-$here}/last" "$here/last" 2>/dev/null || true ;;
install | disable | uninstall) ;;
*) exit 64 ;;
esac
