namespace Rpat.Formats.Arrays;

/// <summary>The Python dict literal in front of an .npy file's data.</summary>
/// <param name="Type">The element type; null for an unsupported one.</param>
internal sealed record NpyHeader(ElementType? Type, string NumpyName, bool BigEndian, bool FortranOrder, long[] Shape)
{
    private const int Alignment = 64;
    private const int PrefixLength = 10;

    internal static readonly byte[] Magic = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>The bytes from the start of a version 1.0 file up to its data.</summary>
    internal static byte[] Format(ElementType type, ReadOnlySpan<long> shape)
    {
        string sizes = ArrayShape.Text(shape)[1..^1] + (shape.Length == 1 ? "," : "");
        string dict = $"{{'descr': '{Descr(type)}', 'fortran_order': False, 'shape': ({sizes}), }}";
        int total = (PrefixLength + dict.Length + 1 + Alignment - 1) / Alignment * Alignment;
        int length = total - PrefixLength;
        byte[] header = new byte[total];
        Magic.CopyTo(header, 0);
        header[6] = 1;
        header[8] = (byte)length;
        header[9] = (byte)(length >> 8);
        Encoding.ASCII.GetBytes(dict.PadRight(length - 1) + "\n").CopyTo(header, PrefixLength);
        return header;
    }

    /// <summary>Parses the dict literal; a <see cref="FormatException"/> says what is wrong with it.</summary>
    internal static NpyHeader Parse(string text)
    {
        var tokens = new Tokens(text);
        string? descr = null;
        bool? fortran = null;
        long[]? shape = null;
        tokens.Expect('{');
        while (!tokens.TryTake('}'))
        {
            string key = tokens.Text();
            tokens.Expect(':');
            if (key == "descr" && descr is null) descr = tokens.TextOrFields();
            else if (key == "fortran_order" && fortran is null) fortran = tokens.Truth();
            else if (key == "shape" && shape is null) shape = tokens.Tuple();
            else throw new FormatException($"key '{key}' is unknown or repeated");
            tokens.Separator('}');
        }

        tokens.ExpectEnd();
        if (descr is null || fortran is null || shape is null) throw new FormatException("descr, fortran_order or shape is missing");
        bool isKnown = TryParseDescr(descr, out ElementType type, out bool bigEndian);
        return new NpyHeader(isKnown ? type : null, descr, bigEndian, fortran.Value, shape);
    }

    // NumPy has no bfloat16: its bits are stored as unsigned 16-bit numbers.
    private static string Descr(ElementType type) => type switch
    {
        ElementType.Bool => "|b1",
        ElementType.U8 => "|u1",
        ElementType.I8 => "|i1",
        ElementType.I16 => "<i2",
        ElementType.U16 or ElementType.BF16 => "<u2",
        ElementType.F16 => "<f2",
        ElementType.I32 => "<i4",
        ElementType.U32 => "<u4",
        ElementType.F32 => "<f4",
        ElementType.I64 => "<i8",
        ElementType.U64 => "<u8",
        ElementType.F64 => "<f8",
        _ => "<c8",
    };

    /// <summary>The element type and byte order of a numpy type such as <c>&lt;f4</c>.</summary>
    internal static bool TryParseDescr(string descr, out ElementType type, out bool bigEndian)
    {
        ElementType? known = descr.Length > 1 && "<>|=".Contains(descr[0]) ? Kind(descr[1..]) : null;
        (type, bigEndian) = (known ?? default, descr.StartsWith('>'));
        return known is not null && (descr[0] != '|' || type.Size() == 1);
    }

    private static ElementType? Kind(string code) => code switch
    {
        "b1" => ElementType.Bool,
        "u1" => ElementType.U8,
        "i1" => ElementType.I8,
        "i2" => ElementType.I16,
        "u2" => ElementType.U16,
        "f2" => ElementType.F16,
        "i4" => ElementType.I32,
        "u4" => ElementType.U32,
        "f4" => ElementType.F32,
        "i8" => ElementType.I64,
        "u8" => ElementType.U64,
        "f8" => ElementType.F64,
        "c8" => ElementType.C64,
        _ => null,
    };

    private sealed class Tokens(string text)
    {
        private int _at;

        internal bool TryTake(char symbol)
        {
            while (_at < text.Length && char.IsWhiteSpace(text[_at])) _at++;
            bool found = _at < text.Length && text[_at] == symbol;
            if (found) _at++;
            return found;
        }

        internal void Expect(char symbol)
        {
            if (!TryTake(symbol)) throw new FormatException($"'{symbol}' is expected at character {_at}");
        }

        // A comma, or the closing symbol left in place.
        internal void Separator(char closing)
        {
            if (TryTake(',')) return;
            Expect(closing);
            _at--;
        }

        internal void ExpectEnd()
        {
            if (TryTake('\0') || _at < text.Length) throw new FormatException($"text follows the dict at character {_at}");
        }

        internal string Text()
        {
            char quote = TryTake('\'') ? '\'' : '"';
            if (quote == '"' && !TryTake('"')) throw new FormatException($"a quoted text is expected at character {_at}");
            int end = text.IndexOf(quote, _at);
            if (end < 0) throw new FormatException($"the text at character {_at} has no end");
            string value = text[_at..end];
            _at = end + 1;
            return value;
        }

        // A structured type is a list of its fields.
        internal string TextOrFields()
        {
            if (!TryTake('[')) return Text();
            int start = _at - 1;
            for (int depth = 1; depth > 0; _at++)
            {
                if (_at == text.Length) throw new FormatException($"the list at character {start} has no end");
                depth += text[_at] switch { '[' => 1, ']' => -1, _ => 0 };
            }

            return text[start.._at];
        }

        internal bool Truth()
        {
            string word = Word();
            return word == "True" || (word == "False" ? false : throw new FormatException($"True or False is expected, not '{word}'"));
        }

        internal long[] Tuple()
        {
            var sizes = new List<long>();
            Expect('(');
            while (!TryTake(')'))
            {
                string word = Word();
                if (!long.TryParse(word.TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out long size))
                    throw new FormatException($"a size is expected, not '{word}'");
                if (sizes.Count == ArrayShape.MaxRank) throw new FormatException($"the shape has more than {ArrayShape.MaxRank} sizes");
                sizes.Add(size);
                Separator(')');
            }

            return [.. sizes];
        }

        private string Word()
        {
            while (_at < text.Length && char.IsWhiteSpace(text[_at])) _at++;
            int start = _at;
            while (_at < text.Length && char.IsAsciiLetterOrDigit(text[_at])) _at++;
            return text[start.._at];
        }
    }
}
