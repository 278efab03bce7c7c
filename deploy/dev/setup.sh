# shellcheck shell=bash
# setup.sh: Debian packages, and what is kept in a cache folder outside the tree: Kafka's jars,
# and tools that are only unpacked.

smsq_cache=${XDG_CACHE_HOME:-$HOME/.cache}/smsq
tools_folder=$smsq_cache/tools
python_list=$tree/deploy/packages/python.txt
python_folder=$smsq_cache/python-$(sha256sum <"$python_list" | head -c 16)
node_clients=$tree/tests/clients
node_folder=$smsq_cache/node-$(sha256sum <"$node_clients/package-lock.json" | head -c 16)
kafka_version=$(sed -n '/kafka_2.13/{n;s/.*<version>\(.*\)<.*/\1/p}' deploy/kafka/pom.xml)
kafka_cache=$smsq_cache/kafka-$kafka_version
kafka_libs=$kafka_cache/libs
kafka_sums=$tree/deploy/kafka/SHA256SUMS

setup() {
    require_debian
    mkdir -p "$smsq_cache"
    exec 7>"$smsq_cache/lock"
    flock 7
    setup_packages
    setup_tools
    setup_python
    setup_node
    setup_kafka
    exec 7>&-
    say "Setup is complete."
}

require_debian() {
    command -v apt-get dpkg-query >/dev/null || fail "This machine has no apt-get. ./dev is" \
        "made for Debian 12; elsewhere install by hand what deploy/packages lists."
}

# packages_in LIST… writes the names in these lists of deploy/packages, one a line.
packages_in() {
    (cd deploy/packages && sed 's/#.*//' "$@") | tr -s ' ' '\n' | sed '/^$/d' | sort -u
}

# Node.js from elsewhere than Debian brings its own npm.
packages_wanted() {
    packages_in build run migrate dev | if command -v npm >/dev/null; then grep -vx npm; else cat; fi
}

missing_packages() {
    comm -23 <(packages_wanted) \
        <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u)
}

setup_packages() {
    local missing

    mapfile -t missing < <(missing_packages)
    if ((!${#missing[@]})); then
        say "All Debian packages are installed."
        return
    fi
    say "Installing Debian packages: ${missing[*]}."
    as_admin apt-get -q update
    as_admin apt-get -q install -y --no-install-recommends "${missing[@]}"
}

# setup_tools unpacks each package once; apt checks what it fetches against Debian's signed
# lists.
setup_tools() {
    local package

    for package in $(missing_tools); do
        say "Unpacking the Debian package $package into $tools_folder."
        rm -rf "$tools_folder/.$package"
        mkdir -p "$tools_folder/.$package"
        (cd "$tools_folder/.$package" && tool_download "$package" && dpkg-deb -x ./*.deb . &&
            rm ./*.deb) || fail "The package $package could not be fetched; apt's message" \
            "stands above."
        mv -T "$tools_folder/.$package" "$tools_folder/$package"
    done
}

tool_download() {
    local download=(apt-get -q -o APT::Sandbox::User=root download "$1")
    "${download[@]}" || { as_admin apt-get -q update && "${download[@]}"; }
}

missing_tools() {
    local package
    for package in $(packages_in unpacked); do
        [[ -e $tools_folder/$package ]] || printf '%s\n' "$package"
    done
}

setup_python() {
    [[ ! -e $python_folder ]] || return 0
    say "Fetching the Python packages of deploy/packages/python.txt into $python_folder."
    rm -rf "$python_folder.new"
    /usr/bin/python3 -m pip install -q --no-deps --require-hashes --only-binary :all: \
        --no-warn-script-location --disable-pip-version-check --root-user-action=ignore \
        --target "$python_folder.new" -r "$python_list" </dev/null ||
        fail "pip could not fetch the packages; its message stands above."
    mv -T "$python_folder.new" "$python_folder"
}

# npm compares what it fetches with the sums of package-lock.json, and runs nothing of it.
setup_node() {
    [[ ! -e $node_folder ]] || return 0
    say "Fetching the Node packages of tests/clients/package-lock.json into $node_folder."
    rm -rf "$node_folder.new"
    mkdir -p "$node_folder.new"
    cp "$node_clients"/package*.json "$node_folder.new"
    (cd "$node_folder.new" && npm ci --loglevel=error --ignore-scripts --no-audit --no-fund </dev/null) ||
        fail "npm could not fetch the packages; its message stands above."
    mv -T "$node_folder.new" "$node_folder"
}

as_admin() {
    if is_root; then
        DEBIAN_FRONTEND=noninteractive "$@"
    else
        command -v sudo >/dev/null || fail "\"$*\" has to be run as root, and there is no" \
            "sudo. Have it run by root, then run ./dev setup again."
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi || fail "\"$*\" failed; its message stands above."
}

# kafka_jars_state writes complete, incomplete, or the name of a jar that was changed.
kafka_jars_state() {
    local complaints changed

    if complaints=$(cd "$kafka_libs" 2>/dev/null && LC_ALL=C sha256sum --quiet -c "$kafka_sums" 2>&1); then
        printf 'complete'
        return
    fi
    changed=$(sed -n 's/: FAILED$//p' <<<"$complaints" | head -n 1)
    printf '%s' "${changed:-incomplete}"
}

kafka_check_jars() {
    local state
    state=$(kafka_jars_state)
    case $state in
    complete) ;;
    incomplete) return 1 ;;
    *) fail "The jar $state in $kafka_libs is not the one that deploy/kafka/SHA256SUMS" \
        "names: refused. Remove $kafka_cache and run ./dev setup to fetch it again." ;;
    esac
}

# Maven ends with colour codes even when it was told not to use any.
without_colors() {
    sed $'s/\033\\[[0-9;]*m//g'
}

setup_kafka() {
    mkdir -p "$kafka_cache"
    if kafka_check_jars; then
        say "Apache Kafka $kafka_version is in $kafka_libs; its jars are unchanged."
    else
        say "Fetching Apache Kafka $kafka_version with Maven into $kafka_libs."
        mvn -q -B -f deploy/kafka/pom.xml \
            org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
            -DoutputDirectory="$kafka_libs" -DincludeScope=runtime </dev/null 2>&1 |
            without_colors ||
            fail "Maven could not fetch the jars; its message stands above."
        kafka_check_jars || fail "Maven did not bring all jars that $kafka_sums lists."
        say "Fetched; all $(wc -l <"$kafka_sums") jars have the SHA-256 sums of our list."
    fi
}

# setup_if_missing names what up and test would miss, and has setup bring it.
setup_if_missing() {
    local missing

    require_debian
    missing=$(missing_packages | tr '\n' ' ')$(missing_tools | tr '\n' ' ')
    [[ -e $python_folder ]] || missing+="Python packages "
    [[ -e $node_folder ]] || missing+="Node packages "
    [[ -z $missing ]] && kafka_check_jars && return
    say "Missing on this machine: ${missing:-Apache Kafka $kafka_version}. Running ./dev setup."
    setup
}
