# shellcheck shell=bash
# A picture of 12 megapixels into four sizes, each as WebP and as JPEG: by the worker's code, by vipsthumbnail and by Pillow, in turns. The picture is
# a real photograph enlarged, with grain (pictures.py). What is compared is the processor's time, user and system, of several pictures by one process,
# so that a start does not count for much. Ours makes the square and the placeholder, too, for that is its job; without the square it is measured beside.

readonly PICTURES=4
# How many a worker makes, whose memory is looked at.
readonly WORKER_PICTURES=24
# Programs that were built elsewhere are used as they are.
readonly GIVEN_BIN_DIR=${BIN_DIR-}
# What the worker's renditions are called and how large they are.
readonly -A PICTURE_SIDES=([large]=1600 [medium]=800 [small]=320 [thumbnail]=160)

pillow() { "$PILLOW_HOME/bin/python" "$ROOT/scripts/bench/pictures.py" "$@" 9>&-; }

# Sets RENDITIONS to the program with the worker's code.
build_renditions() {
    RENDITIONS=$BIN_DIR/examples/renditions
    if [[ -z $GIVEN_BIN_DIR ]]; then
        in_own_group cargo build --package platform --example renditions --locked --profile release || die "the build failed"
    fi
}

# One photograph under several names.
take_pictures() {
    local number
    rm -rf "$WORK/pictures"
    mkdir -p "$WORK/pictures"/{in,all,four,vips,pillow,alike}
    pillow photograph "$ROOT/tests/fixtures/exif/Landscape_1.jpg" "$WORK/pictures/in/1.jpg"
    for ((number = 2; number <= PICTURES; number++)); do cp "$WORK/pictures/in/1.jpg" "$WORK/pictures/in/$number.jpg"; done
}

make_all() { "$RENDITIONS" all 1 "$WORK/pictures/all" "$WORK/pictures/in/"*.jpg; }
make_four() { "$RENDITIONS" four 1 "$WORK/pictures/four" "$WORK/pictures/in/"*.jpg; }
make_pillow() { pillow renditions "$WORK/pictures/pillow" "$WORK/pictures/in/"*.jpg; }
make_alike() { pillow alike "$WORK/pictures/alike" "$WORK/pictures/in/"*.jpg; }

# One thread takes it the least time of processors. It decodes no more of a JPEG than it needs, by itself.
make_vips() {
    local name side
    for name in "${!PICTURE_SIDES[@]}"; do
        side=${PICTURE_SIDES[$name]}
        VIPS_CONCURRENCY=1 vipsthumbnail --size "${side}x$side" --output "$WORK/pictures/vips/%s-$name.webp[Q=80,strip]" "$WORK/pictures/in/"*.jpg
        VIPS_CONCURRENCY=1 vipsthumbnail --size "${side}x$side" --output "$WORK/pictures/vips/%s-$name.jpg[Q=82,strip]" "$WORK/pictures/in/"*.jpg
    done
}

# picture_time WHO: milliseconds of the processor for a picture.
picture_time() {
    local TIMEFORMAT='%U %S'
    { time "make_$1" >/dev/null 2>"$WORK/pictures/complaints"; } 2>&1 | awk "{ printf \"%.1f\\n\", (\$1 + \$2) * 1000 / $PICTURES }"
}

# As many bytes as the eight files of a picture have, in kB; all of them must be there.
picture_bytes() {
    local name files=()
    for name in "${!PICTURE_SIDES[@]}"; do files+=("$WORK/pictures/$1/1-$name.webp" "$WORK/pictures/$1/1-$name.jpg"); done
    stat --format %s "${files[@]}" | awk '{ sum += $1 } END { printf "%.0f", sum / 1000 }'
}

# picture_ratio WHO [OURS]: our time to that of somebody else, of the round that is in the middle.
picture_ratio() { paste "$WORK/pictures/${2:-all}.ms" "$WORK/pictures/$1.ms" | awk '{ printf "%.3f\n", $1 / $2 }' | middle; }

report_pictures() {
    local who
    local -A titles=([all]="the worker's code, with the square" [four]="the worker's code, the same eight files"
        [vips]="vipsthumbnail $(vipsthumbnail --version | cut -d - -f 2)" [pillow]="Pillow ${PILLOW#*==}" [alike]="Pillow with libwebp's method as ours")
    for who in all four vips pillow alike; do
        report_fact "12 megapixels into four sizes as WebP and JPEG, ${titles[$who]}: $(picture_bytes "$who") kB, PSNR $(pillow likeness "$WORK/pictures/$who" "$WORK/pictures/in/1.jpg") dB" \
            "$(median <"$WORK/pictures/$who.ms")" "ms of a processor"
    done
}

report_ratio() { report_line "$1" "$2" "≤ $3" "$(compare "$2 <= $3")"; }

# upload_photograph ITEM NUMBER: the photograph with a remark of its own, so that it is another file.
upload_photograph() {
    local operations
    operations=$(jq --null-input --compact-output --arg item "$1" '{variables: {input: {itemId: $item, file: null}},
        query: "mutation($input: ItemImageUploadInput!) { itemImageUpload(input: $input) { userErrors { code } } }"}')
    {
        head --bytes 2 "$WORK/pictures/in/1.jpg"
        printf '\xff\xfe\x00\x04%02d' "$2"
        tail --bytes +3 "$WORK/pictures/in/1.jpg"
    } | curl --silent --show-error --fail-with-body --max-time 60 --config "$WORK/curl-token" --header 'GraphQL-Preflight: 1' \
        --form-string "operations=$operations" --form-string 'map={"0":["variables.input.file"]}' --form '0=@-;type=image/jpeg;filename=photograph.jpg' "$URL" |
        jq --exit-status '.data.itemImageUpload.userErrors == []' >/dev/null || die "a photograph cannot be uploaded"
}

# The worker as operators run it, which has just started and finds that many photographs to do.
measure_worker_pictures() {
    local items number
    drop_shop goldshop_pictures
    open_shop goldshop_pictures 1
    stop_worker
    mapfile -t items < <(sql "SELECT id FROM item ORDER BY id LIMIT $WORKER_PICTURES" | global_id Item)
    for ((number = 0; number < WORKER_PICTURES; number++)); do upload_photograph "${items[number]}" "$number"; done
    GOLDSHOP_WORKER__MEDIA_CONCURRENCY=2 start_worker
    wait_until 300 jobs_are_done || die "the pictures are not made"
    report_limit "most memory of a worker that has made $WORKER_PICTURES of them, 2 at once" "$(worker_peak)" MB 250
    stop_worker
    stop_api
}

measure_pictures() {
    local round who
    ensure_picture_makers
    build_renditions
    report_begin "Pictures: one photograph of 12 megapixels, made $PICTURES times by each in each of $ROUNDS rounds."
    step "Making pictures smaller"
    take_pictures
    for ((round = 0; round < ROUNDS; round++)); do
        for who in all vips pillow four alike; do picture_time "$who" >>"$WORK/pictures/$who.ms" || die "$who: $(<"$WORK/pictures/complaints")"; done
    done
    report_pictures
    report_ratio "processor's time: ours to vipsthumbnail's, middle of $ROUNDS" "$(picture_ratio vips)" 0.6
    report_ratio "processor's time: ours to Pillow's, middle of $ROUNDS" "$(picture_ratio pillow)" 0.7
    report_fact "the eight files alone: ours to Pillow's" "$(picture_ratio pillow four)" ""
    report_fact "the eight files alone: ours to Pillow's with libwebp's method as ours" "$(picture_ratio alike four)" ""
    report_fact "most memory of that code alone, 2 pictures at once" "$("$RENDITIONS" all 2 "$WORK/pictures/all" "$WORK/pictures/in/"*.jpg)" MB
    measure_worker_pictures
    report_end
}
