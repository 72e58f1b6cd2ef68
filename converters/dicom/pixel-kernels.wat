;; Loops over pixels, sixteen bytes at a time. pixel-kernels.ts says what each does.
;; After a change: npx --package=wabt@1.0.39 wat2wasm pixel-kernels.wat --output=kernels.wasm
;; and base64 -w0 kernels.wasm, in double quotes, into pixel-kernels.generated.json.
(module
  (memory (export "memory") 1)

  ;; In place: ((value & mask) ^ flip) + add for each 16-bit value; 1 where a sum does not fit 16 bits with a sign.
  ;; bytes is a multiple of 16.
  (func (export "addWords") (param $at i32) (param $bytes i32) (param $mask i32) (param $flip i32) (param $add i32)
    (result i32)
    (local $end i32) (local $masks v128) (local $flips v128) (local $adds v128)
    (local $value v128) (local $sum v128) (local $unfit v128)
    (local.set $end (i32.add (local.get $at) (local.get $bytes)))
    (local.set $masks (i16x8.splat (local.get $mask)))
    (local.set $flips (i16x8.splat (local.get $flip)))
    (local.set $adds (i16x8.splat (local.get $add)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $value
          (v128.xor (v128.and (v128.load (local.get $at)) (local.get $masks)) (local.get $flips)))
        (local.set $sum (i16x8.add (local.get $value) (local.get $adds)))
        ;; A sum that fits is the same when it is held within 16 bits.
        (local.set $unfit
          (v128.or (local.get $unfit)
            (v128.xor (local.get $sum) (i16x8.add_sat_s (local.get $value) (local.get $adds)))))
        (v128.store (local.get $at) (local.get $sum))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $next)))
    (v128.any_true (local.get $unfit)))

  ;; Unpacks the PackBits segment from..to into at most count bytes at out; returns how many it wrote.
  ;; Reads up to 15 bytes beyond to, and writes up to 15 beyond count.
  (func (export "unpackBits") (param $from i32) (param $to i32) (param $out i32) (param $count i32) (result i32)
    (local $start i32) (local $end i32) (local $code i32) (local $run i32) (local $stop i32) (local $byte v128)
    (local.set $start (local.get $out))
    (local.set $end (i32.add (local.get $out) (local.get $count)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $to)))
        (br_if $done (i32.ge_u (local.get $out) (local.get $end)))
        (local.set $code (i32.load8_u (local.get $from)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br_if $next (i32.eq (local.get $code) (i32.const 128)))
        (if (i32.lt_u (local.get $code) (i32.const 128))
          (then
            ;; code + 1 bytes as they are, as far as the segment goes.
            (local.set $run (i32.add (local.get $code) (i32.const 1)))
            (if (i32.gt_u (local.get $run) (i32.sub (local.get $to) (local.get $from)))
              (then (local.set $run (i32.sub (local.get $to) (local.get $from)))))
            (if (i32.gt_u (local.get $run) (i32.sub (local.get $end) (local.get $out)))
              (then (local.set $run (i32.sub (local.get $end) (local.get $out)))))
            (local.set $stop (i32.add (local.get $out) (local.get $run)))
            (loop $copy
              (v128.store (local.get $out) (v128.load (local.get $from)))
              (local.set $from (i32.add (local.get $from) (i32.const 16)))
              (local.set $out (i32.add (local.get $out) (i32.const 16)))
              (br_if $copy (i32.lt_u (local.get $out) (local.get $stop))))
            (local.set $from (i32.sub (local.get $from) (i32.sub (local.get $out) (local.get $stop))))
            (local.set $out (local.get $stop)))
          (else
            ;; The next byte 257 - code times.
            (br_if $done (i32.ge_u (local.get $from) (local.get $to)))
            (local.set $byte (v128.load8_splat (local.get $from)))
            (local.set $from (i32.add (local.get $from) (i32.const 1)))
            (local.set $run (i32.sub (i32.const 257) (local.get $code)))
            (if (i32.gt_u (local.get $run) (i32.sub (local.get $end) (local.get $out)))
              (then (local.set $run (i32.sub (local.get $end) (local.get $out)))))
            (local.set $stop (i32.add (local.get $out) (local.get $run)))
            (loop $fill
              (v128.store (local.get $out) (local.get $byte))
              (local.set $out (i32.add (local.get $out) (i32.const 16)))
              (br_if $fill (i32.lt_u (local.get $out) (local.get $stop))))
            (local.set $out (local.get $stop))))
        (br $next)))
    (i32.sub (local.get $out) (local.get $start)))

  ;; count pairs of a byte from low and one from high, one after the other, at out; writes up to 31 bytes too many.
  (func (export "pairBytes") (param $low i32) (param $high i32) (param $out i32) (param $count i32)
    (local $end i32) (local $lows v128) (local $highs v128)
    (local.set $end (i32.add (local.get $low) (local.get $count)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $low) (local.get $end)))
        (local.set $lows (v128.load (local.get $low)))
        (local.set $highs (v128.load (local.get $high)))
        (v128.store (local.get $out)
          (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $lows) (local.get $highs)))
        (v128.store offset=16 (local.get $out)
          (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $lows) (local.get $highs)))
        (local.set $low (i32.add (local.get $low) (i32.const 16)))
        (local.set $high (i32.add (local.get $high) (i32.const 16)))
        (local.set $out (i32.add (local.get $out) (i32.const 32)))
        (br $next)))))
