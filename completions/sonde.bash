# SPDX-License-Identifier: BSD-2-Clause
# bash completion for sonde

# The names that --services lists, in one of its parts: Presets, Names or UDP.
__sonde_names()
{
    local line part=
    while IFS= read -r line; do
        case $line in
        [A-Z]*) part=${line%%[ :]*} ;;
        '  '[a-z@]*)
            [[ $part == "$1" ]] || continue
            line=${line#  }
            printf '%s\n' "${line%% *}"
            ;;
        esac
    done < <("$sonde" --services 2>/dev/null)
}

# Complete the last element of a list such as "ssh,htt" or "@web,443/u". $1: what stands before the
# list; $2: the list; $3: what is put behind a name.
__sonde_services()
{
    local before=$1 list=$2 behind=$3 head=
    [[ $list == *,* ]] && head=${list%,*},
    local last=${list##*,}
    case $last in
    */*) words=(tcp udp sctp $(__sonde_names UDP)) head+=${last%%/*}/ ;;
    *) words=(icmp $(__sonde_names Presets) $(__sonde_names Names) $(__sonde_names UDP)) ;;
    esac
    words=("${words[@]/#/$before$head}")
    words=("${words[@]/%/$behind}")
}

# Complete what is expected: "web1:22=closed|fil".
__sonde_expected()
{
    local list=$1 head=
    [[ $list == *,* ]] && head=${list%,*},
    local last=${list##*,}
    if [[ $last == *=* ]]; then
        local states=${last#*=}
        head+=${last%%=*}=
        [[ $states == '!'* ]] && head+=! states=${states#!}
        [[ $states == *'|'* ]] && head+=${states%|*}'|'
        words=(open closed filtered rejected open_or_filtered unreachable up)
        words=("${words[@]/#/$head}")
        return
    fi
    [[ $last == *:* ]] && head+=${last%:*}: last=${last##*:}
    __sonde_services "$head" "$last" =
    compopt -o nospace
}

# Complete a file, behind an "@" if $1 is one.
__sonde_files()
{
    compopt -o filenames
    mapfile -t words < <(compgen -f -- "${word#"$1"}")
    words=("${words[@]/#/$1}")
}

# Complete the value of an option. 1: it takes none.
__sonde_value()
{
    case $1 in
    -F | --filename) __sonde_files ;;
    --payload | --expect-reply)
        if [[ $word == @* ]]; then
            __sonde_files @
        fi
        ;;
    --simulate)
        __sonde_files
        words+=(demo)
        ;;
    -I | --interface) words=($(command ls /sys/class/net 2>/dev/null)) ;;
    -P | --port) __sonde_services '' "$word" '' ;;
    -Q | --tos) words=(cs{0..7} af{1..4}{1..3} ef le va) ;;
    --expect) __sonde_expected "$word" ;;
    --color) words=(auto always never) ;;
    -[fmUsBaLMciZ] | --flows | --first-ttl | --max-ttl | --max-unknown | --psize | --bitpattern | --address | \
        --localport | --mark | --report-cycles | --interval | --timeout | --deadline | --rate | \
        --warn | --crit) ;;
    *) return 1 ;;
    esac
}

__sonde_options='-4 --ipv4 -6 --ipv6 -F --filename --all-addresses --many --services -T --tcp -u --udp
    -P --port --flows --no-icmp --no-control -f --first-ttl -m --max-ttl -U --max-unknown --payload --expect-reply
    -s --psize -B --bitpattern -Q --tos -a --address -I --interface -L --localport -M --mark --unprivileged
    -c --report-cycles -i --interval -Z --timeout --deadline --rate --expect --warn --crit
    -r --report -w --report-wide -j --json -q --quiet -n --no-dns -b --show-ips -e --mpls --color --ascii
    --print-schema --stream --record --replay --simulate --virtual-time --doctor -h --help -v -V --version'

# Complete a target, or services of the one before.
__sonde_target()
{
    case $word in
    :* | @*) __sonde_services "${word%%[!:]*}" "${word#:}" '' ;;
    [0-9]*/*) __sonde_services '' "$word" '' ;;
    *://*) ;;
    \[*\]:*) __sonde_services "${word%:*}:" "${word##*:}" '' ;;
    *:*:*) ;;
    *[!:]:*) __sonde_services "${word%:*}:" "${word##*:}" '' ;;
    *) mapfile -t words < <(compgen -A hostname -- "$word") ;;
    esac
}

_sonde()
{
    # readline breaks words at colons and equals signs: so the line is looked at, and $2 is what
    # will be replaced of its last word
    local sonde=$1 line=${COMP_LINE:0:COMP_POINT} words=() all=()
    read -ra all <<<"$line"
    local word=${line##*[[:space:]]} previous=
    [[ -n $word ]] && unset 'all[-1]'
    ((${#all[@]} > 1)) && previous=${all[-1]}
    word=${word#[\'\"]}
    local kept=${word%"$2"}
    if ! __sonde_value "$previous"; then
        case $word in
        --*=*)
            local option=${word%%=*}
            word=${word#*=}
            [[ $option == --print-schema ]] && words=(report event)
            [[ $option == --stream ]] && words=(changes stdin)
            __sonde_value "$option"
            words=("${words[@]/#/$option=}")
            word=$option=$word
            ;;
        -*) words=($__sonde_options) ;;
        *) __sonde_target ;;
        esac
    fi
    COMPREPLY=()
    local candidate
    for candidate in "${words[@]}"; do
        [[ $candidate == "$word"* ]] && COMPREPLY+=("${candidate#"$kept"}")
    done
}

complete -F _sonde sonde
