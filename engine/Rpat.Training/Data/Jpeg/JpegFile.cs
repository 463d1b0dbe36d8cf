using System.Buffers.Binary;

namespace Rpat.Training.Data.Jpeg;

/// <summary>
/// Decodes JPEG files of 8 bits, sequential and progressive, with Huffman codes (ITU-T T.81), to the same pixels as libjpeg-turbo, and so
/// Pillow and torchvision. Every bit is accounted for: a file that is truncated, overwritten or lacks a scan is refused.
/// </summary>
internal sealed class JpegFile
{
    private const int MostScans = 256;
    private const byte EndOfImage = 0xD9;

    private readonly byte[] _file;
    private readonly ushort[]?[] _steps = new ushort[]?[4];
    private readonly HuffmanTable?[] _dc = new HuffmanTable?[4], _ac = new HuffmanTable?[4];
    private JpegFrame? _frame;
    private int _at = 2, _interval, _scans;
    private bool _jfif;
    private int? _adobe;

    private JpegFile(byte[] file) => _file = file;

    /// <summary>Whether a file begins as a JPEG does.</summary>
    public static bool Matches(ReadOnlySpan<byte> start) => start.StartsWith<byte>([0xFF, 0xD8, 0xFF]);

    /// <summary>Decodes a file.</summary>
    /// <exception cref="PictureException">It is damaged, truncated, too large, or of an unsupported kind of JPEG.</exception>
    public static RgbImage Decode(byte[] file) => new JpegFile(file).Decode();

    private RgbImage Decode()
    {
        while (NextMarker() is var marker && marker != EndOfImage)
            if (marker is not (0x01 or (>= 0xD0 and <= 0xD7))) Segment(marker, Body());
        if (_frame is null) throw new PictureException("it ends without a picture");
        if (_frame.Components.Any(c => c.BitsToCome.Any(bits => bits != 0))) throw new PictureException("its last scans are missing");
        byte[][] planes = [.. _frame.Components.Select(c => JpegUpsampling.Full(_frame, c))];
        return new RgbImage(_frame.Width, _frame.Height, JpegColour.Rgb(planes, Colours(_frame.Components)));
    }

    private int NextMarker()
    {
        // Stray bytes between segments hold no pixels; other decoders also skip them.
        while (_at < _file.Length && _file[_at] != 0xFF) _at++;
        while (_at < _file.Length && _file[_at] == 0xFF) _at++;
        return _at < _file.Length ? _file[_at++] : throw new PictureException($"it has no end mark at its end, byte {_file.Length}");
    }

    private ReadOnlySpan<byte> Body()
    {
        int length = _at + 2 <= _file.Length ? BinaryPrimitives.ReadUInt16BigEndian(_file.AsSpan(_at)) : 0;
        if (length < 2 || _at + length > _file.Length)
            throw new PictureException($"its segment at byte {_at} does not end within the file");
        _at += length;
        return _file.AsSpan(_at - length + 2, length - 2);
    }

    private void Segment(int marker, ReadOnlySpan<byte> body)
    {
        try
        {
            if (marker == 0xC4) Tables(body);
            else if (marker == 0xDB) Steps(body);
            else if (marker is >= 0xC0 and <= 0xC2) Frame(body, progressive: marker == 0xC2);
            else if (marker == 0xDA) Scan(body);
            else if (marker == 0xDD) _interval = BinaryPrimitives.ReadUInt16BigEndian(body);
            else if (marker == 0xE0) _jfif |= body.StartsWith("JFIF\0"u8);
            else if (marker == 0xEE && body.StartsWith("Adobe"u8) && body.Length >= 12) _adobe = body[11];
            else if (marker is >= 0xC9 and <= 0xCF and not 0xCC) throw new PictureException("it is coded arithmetically: save it anew");
            else if (marker is >= 0xC3 and <= 0xC8) throw new PictureException("it is a lossless or hierarchical JPEG: save it anew");
            else if (marker == 0xD8) throw new PictureException($"another picture begins at byte {_at}, within it");
        }
        catch (Exception error) when (error is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw new PictureException($"its segment {marker:X2} before byte {_at} is too short or names what does not exist");
        }
    }

    private void Steps(ReadOnlySpan<byte> body)
    {
        while (body.Length > 0)
        {
            (int wide, int table) = (body[0] >> 4, body[0] & 15);
            int size = wide == 0 ? 1 : 2;
            var steps = new ushort[64];
            for (int k = 0; k < 64; k++)
                steps[JpegScan.Zigzag[k]] = size == 1 ? body[1 + k] : BinaryPrimitives.ReadUInt16BigEndian(body[(1 + 2 * k)..]);
            _steps[table] = steps;
            body = body[(1 + 64 * size)..];
        }
    }

    private void Tables(ReadOnlySpan<byte> body)
    {
        while (body.Length > 0)
        {
            int symbols = 0;
            foreach (byte count in body.Slice(1, 16)) symbols += count;
            (body[0] < 16 ? _dc : _ac)[body[0] & 15] = new HuffmanTable(body.Slice(1, 16), body.Slice(17, symbols));
            body = body[(17 + symbols)..];
        }
    }

    private void Frame(ReadOnlySpan<byte> body, bool progressive)
    {
        (int height, int width) = (BinaryPrimitives.ReadUInt16BigEndian(body[1..]), BinaryPrimitives.ReadUInt16BigEndian(body[3..]));
        var components = new JpegComponent[body[5]];
        if (_frame is not null) throw new PictureException("it holds two pictures");
        if (body[0] != 8) throw new PictureException($"it has {body[0]} bits per sample where 8 are read");
        if (components.Length is not (1 or 3 or 4))
            throw new PictureException($"it has {components.Length} components where 1, 3 or 4 are read");
        RgbImage.CheckSize(width, height);
        for (int i = 0; i < components.Length; i++)
        {
            ReadOnlySpan<byte> item = body.Slice(6 + 3 * i, 3);
            components[i] = new JpegComponent(item[0], item[1] >> 4, item[1] & 15, item[2]);
            if (components[i] is not { H: >= 1 and <= 4, V: >= 1 and <= 4, Table: < 4 })
                throw new PictureException("its header is damaged");
        }

        _frame = new JpegFrame(progressive, width, height, components);
        _frame.Allocate(_file.Length);
    }

    private void Scan(ReadOnlySpan<byte> body)
    {
        if (_frame is null) throw new PictureException("its data begin before its header");
        if (++_scans > MostScans) throw new PictureException($"it has more than {MostScans} scans");
        var parts = new (JpegComponent, HuffmanTable?, HuffmanTable?)[body[0]];
        for (int i = 0; i < parts.Length; i++)
        {
            (int id, int tables) = (body[1 + 2 * i], body[2 + 2 * i]);
            JpegComponent component = Array.Find(_frame.Components, c => c.Id == id)
                ?? throw new PictureException($"a scan names component {id}, which is not there");
            component.Steps ??= _steps[component.Table] ?? throw new PictureException("a quantisation table is missing");
            parts[i] = (component, _dc[tables >> 4], _ac[tables & 15]);
        }

        ReadOnlySpan<byte> range = body.Slice(1 + 2 * parts.Length, 3);
        if (parts.Length == 0) throw new PictureException("a scan is empty");
        _at = new JpegScan(_frame, parts, range[0], range[1], range[2] >> 4, range[2] & 15, _interval).Decode(_file, _at);
    }

    // JFIF means YCbCr, Adobe's segment states the colour space, and without either the components' names are a hint.
    private JpegColours Colours(JpegComponent[] components) => components.Length switch
    {
        1 => JpegColours.Grey,
        3 when _jfif || _adobe is not null => !_jfif && _adobe == 0 ? JpegColours.Rgb : JpegColours.YCbCr,
        3 => components is [{ Id: 'R' }, { Id: 'G' }, { Id: 'B' }] ? JpegColours.Rgb : JpegColours.YCbCr,
        _ => _adobe is null or 0 ? JpegColours.Cmyk : JpegColours.Ycck,
    };
}

/// <summary>A decoded picture.</summary>
/// <param name="Pixels">[height, width, RGB].</param>
internal sealed record RgbImage(int Width, int Height, byte[] Pixels)
{
    private const long MostSide = 65_536;
    private const long MostPixels = 100_000_000;

    /// <summary>Refuses sizes that no picture of a data set has, before memory is allocated for them.</summary>
    /// <exception cref="PictureException">A side is 0 or too long, or there are too many pixels.</exception>
    public static void CheckSize(long width, long height)
    {
        if (width is < 1 or > MostSide || height is < 1 or > MostSide || width * height > MostPixels)
            throw new PictureException(
                $"its header announces {width}x{height} pixels where 1 to {MostSide} per side and {MostPixels} in all are read");
    }
}
